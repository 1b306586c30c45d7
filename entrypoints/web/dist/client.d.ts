/** The types of client.js. */

export type ClientOptions = {
    business: string;
    /**
     * default: `main`
     */
    location?: string;
    /**
     * BCP 47, until the customer has shown one; default: the browser's
     */
    language?: string;
    /**
     * the server's; default: where this module comes from
     */
    url?: string;
    /**
     * returns a token of the user who is signed in to the website
     */
    token?: TokenSource;
    /**
     * that user; default: the token's `sub`. Without both: a visitor
     */
    user?: string;
    /**
     * default: `localStorage`, where there is one
     */
    storage?: KeyStorage | null;
};

export type SignedInUser = Pick<ClientOptions, "token" | "user">;

export type ConnectionState = ChannelState | {
    name: "offline";
};

export type ChatIdentity = {
    kind: "visitor" | "user";
    userId: string;
};

/**
 * Return a client of a business's chat; it connects once `connect` is called.
 */
export declare const createClient: (options: ClientOptions) => ChatClient;

/**
 * A customer's chat with a business.
 *
 * Events: `change` (the conversation, the connection or the business has changed: read them again),
 * `received` (a message that somebody else wrote since the first join) and `conversation`
 * (`conversation` is another object, of another identity).
 */
export declare class ChatClient extends Emitter<{
    change: null;
    received: MessageItem;
    conversation: null;
}> {
    #private;
    constructor(options: ClientOptions);
    get conversation(): Conversation;
    get connection(): ConnectionState;
    /** The business, as of the last visit until the first join; `logo` is a URL. */
    get business(): Business | null;
    get identity(): ChatIdentity | null;
    /** Connect, and reconnect until `disconnect` is called or the server refuses. */
    connect(): void;
    disconnect(): void;
    /** Try at once, also after a refusal. */
    retryNow(): void;
    /** End everything for good. */
    dispose(): void;
    /**
     * Go on as a user of the website's, once no answer, person or question is awaited.
     */
    setUser({ token, user }: SignedInUser): void;
    /** Forget the user in this browser, in all its tabs, and go on as a new visitor. */
    signOut(): void;
    /**
     * Remember a small value for this identity, over reloads and in all tabs of the browser.
     *
     * @param value  as JSON; undefined: forget it
     */
    remember(key: string, value: unknown): void;
    /**
     * Return what was remembered; undefined if nothing was.
     */
    recall(key: string): unknown;
}

/** A request that failed: `reason` is the server's, or `timeout` or `disconnected`. */
export declare class PushError extends Error {
    reason: string;
    response: ErrorResponse;
    constructor(reason: string, response?: ErrorResponse);
}

export type TokenSource = () => string | null | undefined | Promise<string | null | undefined>;

export type KeyStorage = Pick<Storage, "getItem" | "setItem">;

export type ChannelState = {
    name: "idle";
} | {
    name: "connecting";
} | {
    name: "joining";
} | {
    name: "joined";
    response: unknown;
} | {
    name: "waiting";
    retryAt: number;
    cause: Cause;
} | {
    name: "refused";
    reason: string;
    response: ErrorResponse;
};

/**
 * An EventTarget whose events carry a typed `detail`.
 */
declare class Emitter<Events extends Record<string, unknown>> extends EventTarget {
    /**
     * Call `listener` with the detail of every event `type`; return a function that stops that.
     */
    on<Type extends keyof Events & string>(type: Type, listener: (detail: Events[Type]) => void): () => void;
}

export type MessageItem = Message & {
    kind: "message";
    actions: Action[];
    isAnswer?: boolean;
    seq?: number;
    prevSeq?: number;
    isFromOtherWindow?: boolean;
};

/**
 * A user's conversation.
 *
 * Events: `change` (read the fields and `items()` again) and `received` (a message that somebody
 * else wrote since the first join).
 */
declare class Conversation extends Emitter<{
    change: null;
    received: MessageItem;
}> {
    #private;
    identity: Identity;
    language: string | undefined;
    status: Status;
    reason: string | null;
    coordinatorId: string | null;
    liveChat: LiveChatAddress | null;
    queue: QueuePush | null;
    /** What the business says before anybody has written. */
    greeting: string;
    suggestions: string[];
    /** How the user has rated the session that is shown, from 1 to 5. */
    rating: number | null;
    get sessionId(): string | null;
    get lastSeq(): number;
    get hasEarlier(): boolean;
    /** The authors who are writing at the moment. */
    get typing(): Author[];
    /** Whether the AI is answering, as far as is known. */
    get isAnswering(): boolean;
    /** Whether somebody's answer is awaited, a message is unsent, or a question is open. */
    get isBusy(): boolean;
    /** How many items there are to show. */
    get length(): number;
    /**
     * Return what there is to show, oldest first, or a part of it as `Array.prototype.slice` would.
     *
     * @param [start]  negative: counted from the end
     */
    items(start?: number, end?: number): Item[];
    send(typed: string): void;
    /**
     * The user's messages that are not acknowledged.
     */
    get unsent(): UnsentMessage[];
    /**
     * Resend a failed message under the same id.
     */
    retry(messageId: string): void;
    /**
     * Request a live chat.
     *
     * @param [text]  a message to go with it
     */
    transfer(text?: string): Promise<void>;
    /**
     * Return what has become of a question for a yes.
     */
    question(confirmId: string): Question;
    /**
     * Answer a question for a yes; the first answer counts, wherever it was given.
     */
    confirm(confirmId: string, answer: "yes" | "no"): Promise<void>;
    endLiveChat(): Promise<void>;
    /**
     * Rate the conversation, also after its end; the newest rating counts.
     *
     * @param rating  from 1 to 5
     */
    rate(rating: number, comment?: string): Promise<void>;
    /** Stop the answer that is being written; what was written of it is stored. */
    stopAnswer(): Promise<void>;
    loadEarlier(): Promise<void>;
    /** Notify the coordinator that the user is writing. */
    notifyTyping(): void;
}

export type Business = {
    name: string;
    colour?: string;
    logo?: string;
};

export type ErrorResponse = {
    reason?: string;
    detail?: string;
    message?: string;
    retryAfterMs?: number;
    /**
     * the coordinator who has the conversation
     */
    by?: string;
    /**
     * the connection was lost after the request was sent
     */
    inFlight?: boolean;
};

export type Cause = {
    code?: number;
    reason: string;
};

export type Message = {
    /**
     * its id
     */
    key: string;
    author: Author;
    text: string;
    /**
     * ISO 8601
     */
    at?: string;
    coordinatorId?: string | null;
    state: DeliveryState;
    /**
     * why it `failed`
     */
    error?: PushError | null;
    /**
     * the connections lost in a row while it was in flight
     */
    losses?: number;
};

export type Action = {
    type: string;
    [name: string]: unknown;
};

export type Identity = {
    businessId: string;
    /**
     * empty until it is known
     */
    userId: string;
    locationId: string;
};

export type Status = "ai" | "waiting" | "live" | "closed";

export type LiveChatAddress = {
    url: string;
    topic: string;
};

export type QueuePush = {
    place: number;
    waitS: number | null;
};

export type Author = "user" | "ai" | "coordinator" | "system";

export type Item = MessageItem | StatusItem | SessionItem;

export type UnsentMessage = {
    messageId: string;
    text: string;
    /**
     * ISO 8601
     */
    at?: string;
    /**
     * why it failed; absent: it is sent once there is a connection
     */
    reason?: string;
};

export type Question = {
    state: QuestionState;
    error?: PushError | null;
};

export type DeliveryState = "queued" | "sending" | "stored" | "failed" | "streaming" | "interrupted";

export type StatusItem = {
    key: string;
    kind: "status";
    status: Status;
    reason: string | null;
    coordinatorId?: string | null;
    at: string;
    seq: number;
    prevSeq: number;
};

export type SessionItem = {
    key: string;
    kind: "session";
};

export type QuestionState = "open" | "sending" | "approved" | "rejected" | QuestionEnd;

export type QuestionEnd = "expired" | "withdrawn" | "done" | "failed" | "unknown";

export type { Emitter, Conversation };
