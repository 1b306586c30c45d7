/** The states of the chat, played by a scripted client with real conversations. */

/* global CSSStyleSheet, document */

import { ChatView } from "../../../entrypoints/web/chat/chat.js";
import { Conversation } from "../../../entrypoints/web/client/conversation.js";
import { Emitter } from "../../../entrypoints/web/client/emitter.js";
import { FakeChannel } from "../../unit/web/fakes.js";

const IDENTITY = { businessId: "bistro", userId: "v-1", locationId: "main" };
const START = new Date();
START.setHours(9, 30, 0, 0);
const LONG_WORD =
  "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";

/** A client whose server is the scene. */
class ScriptedClient extends Emitter {
  connection = { name: "idle" };
  business = { name: "Bistro Lumière", colour: "#0a7d55", logo: null };
  identity = null;
  values = new Map();
  retries = 0;
  #seq = 0;
  #minute = 0;

  constructor() {
    super();
    this.begin();
  }

  begin() {
    this.channel = new FakeChannel();
    this.conversation = new Conversation(IDENTITY);
    this.conversation.attach(this.channel);
    this.conversation.on("change", () => this.changed());
    this.conversation.on("received", (message) => this.emit("received", message));
  }

  changed() {
    this.emit("change", null);
  }

  connect(state) {
    this.connection = state;
    this.changed();
  }

  remember(key, value) {
    this.values.set(key, value);
  }

  recall(key) {
    return this.values.get(key);
  }

  retryNow() {
    this.retries += 1;
  }

  join(messages = [], more = {}) {
    this.connection = { name: "joined" };
    const status = messages.findLast(({ kind }) => kind === "status")?.status ?? "ai";
    const sessionId = messages.length > 0 ? "s1" : null;
    const seq = messages.at(-1)?.seq ?? 0;
    this.channel.join({ sessionId, status, seq, messages, more: false, ...more });
  }

  #entry(more) {
    this.#seq += 1;
    this.#minute += more.minutes ?? 1;
    const timestamp = new Date(START.getTime() + this.#minute * 60_000).toISOString();
    return { seq: this.#seq, prevSeq: this.#seq - 1, timestamp, ...more };
  }

  message(author, message, more = {}) {
    const inReplyTo = author === "ai" ? ["m"] : [];
    const messageId = `m${this.#seq + 1}`;
    const entry = { kind: "message", messageId, author, message, actions: [], inReplyTo };
    return this.#entry({ ...entry, ...more });
  }

  status(status, reason, more = {}) {
    return this.#entry({ kind: "status", status, reason, ...more });
  }

  /** What the server stores of one event: a change of status, and its notice. */
  event(status, reason, notice, more = {}) {
    return [this.status(status, reason, more), this.message("system", notice, { minutes: 0 })];
  }

  push({ kind, author, messageId, timestamp, ...entry }) {
    const push = { ...entry, sessionId: "s1" };
    if (kind === "status") {
      this.channel.receive("conversation_status", { ...push, updatedAt: timestamp });
    } else if (author === "ai" || author === "system") {
      this.channel.receive("new_message", { ...push, author, timestamp, responseId: messageId });
    } else {
      const event = author === "user" ? "user_message" : "agent_message";
      this.channel.receive(event, { ...push, timestamp, messageId });
    }
  }

  delta(index, text) {
    this.channel.receive("message_delta", { responseId: "r1", index, text });
  }

  typing(author) {
    this.channel.receive("typing", { author, expiresInMs: 60_000 });
  }
}

const later = (minutes) => new Date(START.getTime() + minutes * 60_000).toISOString();

const ANSWER = `Yes, with pleasure. Tonight we have:

- **Sea bass** with fennel, *24 €*
- Duck breast with cherries
  - also without the sauce
- Risotto \`vegan\`

1. Choose a time
2. Write how many you are

The whole menu: https://bistro.example/menu?day=today, or write to table@bistro.example.`;

const chat = (client) => [
  client.message("user", "Hello! Do you have a table for four tonight?"),
  client.message("ai", ANSWER, {
    actions: [
      {
        type: "sources",
        items: [
          { title: "Evening menu", location: "menu.md#evening" },
          { title: "Opening hours", location: "hours.md" },
        ],
      },
    ],
  }),
  client.message("user", "At half past seven, please."),
  client.message("user", "By the window, if possible 🪟"),
];

const live = (client) => [
  ...chat(client),
  ...client.event("waiting", "user_request", "I have asked a colleague to take over."),
  ...client.event("live", "accepted", "Maria Ionescu has joined the conversation.", {
    coordinatorId: "Maria Ionescu",
  }),
  client.message("coordinator", "Good evening! I am looking for a table by the window.", {
    coordinatorId: "Maria Ionescu",
  }),
  client.message("coordinator", "One is free at **19:30**. Shall I keep it?", {
    coordinatorId: "Maria Ionescu",
  }),
];

const question = (by = "customer") => ({
  type: "confirm",
  confirmId: "c1",
  by,
  title: "Book a table",
  items: [
    { label: "Date", value: "28 November 2026" },
    { label: "Time", value: "19:30" },
    { label: "Guests", value: "4" },
  ],
  expiresAt: later(60 * 12),
});
const asked = (client, by) => [
  ...chat(client),
  client.message("ai", "I can book this for you:", { actions: [question(by)] }),
];
const outcome = (client, state, text) => [
  ...asked(client),
  client.message("user", "Yes", {
    actions: [{ type: "confirmation", confirmId: "c1", state: "approved" }],
  }),
  client.message("ai", text, { actions: [{ type: "confirmation", confirmId: "c1", state }] }),
];

export const SCENES = {
  idle: () => {},
  connecting: (client) => client.connect({ name: "connecting" }),
  empty: (client) =>
    client.join([], {
      greeting: "Welcome to **Bistro Lumière**! How can we help you today?",
      suggestions: ["Book a table", "What is on the menu tonight?", "Do you have vegan dishes?"],
    }),
  conversation: (client) => client.join(chat(client)),
  typing: (client) => {
    client.join(chat(client));
    client.typing("ai");
  },
  streaming: (client) => {
    client.join(chat(client));
    client.delta(0, "There is **one table** by the window, at");
    client.delta(1, " 19:30. Shall I **book it** for you? See [our ter");
  },
  interrupted: (client) => {
    client.join(chat(client));
    client.delta(0, "There is one table by the window, at");
    client.conversation.stopAnswer();
    client.channel.request("stop_answer").reply({});
  },
  stopped: (client) =>
    client.join([
      ...chat(client),
      client.message("ai", "There is one table by the window, at"),
      client.message("system", "I have stopped the answer. You can ask again at any time."),
    ]),
  failed: (client) => {
    client.join(chat(client));
    client.conversation.send("Is there parking near the restaurant?");
    client.channel.request("new_message").refuse("rate_limited", { retryAfterMs: 3_000 });
  },
  offline: (client) => {
    client.join(chat(client));
    client.channel.lose();
    client.connect({ name: "offline" });
    client.conversation.send("Are you still there?");
  },
  reconnecting: (client) => {
    client.join(chat(client));
    client.channel.lose();
    client.connect({ name: "waiting", retryAt: Date.now() + 5_000, cause: { reason: "" } });
  },
  refused: (client) => {
    client.business = null;
    client.connect({ name: "refused", reason: "unknown_business", response: {} });
  },
  "refused-origin": (client) =>
    client.connect({ name: "refused", reason: "origin_not_allowed", response: {} }),
  waiting: (client) =>
    client.join([
      ...chat(client),
      ...client.event("waiting", "user_request", "I have asked a colleague to take over."),
    ]),
  "waiting-place": (client) => {
    SCENES.waiting(client);
    client.channel.receive("queue", { place: 3, waitS: 540 });
  },
  live: (client) => {
    client.join(live(client));
    client.typing("coordinator");
  },
  "end-asked": (client) => client.join(live(client)),
  returned: (client) =>
    client.join([
      ...live(client),
      ...client.event("ai", "returned", "The assistant is here for you again."),
    ]),
  closed: (client) =>
    client.join([
      ...live(client),
      client.message("system", "The conversation has been closed."),
      client.status("closed", "closed_by_coordinator", { minutes: 0 }),
    ]),
  "rating-chosen": (client) => SCENES.closed(client),
  rated: (client) =>
    client.join([
      ...live(client),
      client.message("system", "The conversation has been closed."),
      client.status("closed", "closed_by_coordinator", { minutes: 0 }),
      client.message("user", "★★★★☆ Quick and friendly", {
        actions: [{ type: "rating", rating: 4, comment: "Quick and friendly" }],
      }),
    ]),
  "confirm-open": (client) => client.join(asked(client)),
  "confirm-team": (client) => client.join(asked(client, "coordinator")),
  "confirm-sending": (client) => {
    client.join(asked(client));
    client.conversation.confirm("c1", "yes");
  },
  "confirm-done": (client) =>
    client.join(outcome(client, "done", "Your table is booked. See you tonight!")),
  "confirm-failed": (client) =>
    client.join(outcome(client, "failed", "The table could not be booked, I am sorry.")),
  "confirm-expired": (client) =>
    client.join([
      ...asked(client),
      client.message("system", "The question has expired without an answer.", {
        actions: [{ type: "confirmation", confirmId: "c1", state: "expired" }],
      }),
    ]),
  cards: (client) =>
    client.join([
      client.message("user", "What have I booked, and when are you open?"),
      client.message("ai", "You have two reservations.", {
        actions: [
          {
            type: "reservations",
            items: [
              { reservationId: "r-1", date: "2026-12-01", time: "19:30", guests: 4, name: "Ana" },
              { reservationId: "r-2", date: "2027-01-07", time: "12:00", guests: 2, name: "" },
            ],
          },
          {
            type: "business_info",
            name: "Bistro Lumière",
            facts: { openingHours: "Tue–Sun 12:00–23:00", address: "Str. Lungă 5, Brașov" },
          },
          { type: "live_chat", status: "waiting", topic: "chat:b:u", url: "ws://x.example" },
          { type: "future_card", secret: 42 },
        ],
      }),
    ]),
  "leave-message": (client) =>
    client.join([
      client.message("user", "Can I talk to somebody?"),
      client.message("system", "None of my colleagues is here at the moment.", {
        actions: [{ type: "leave_message", returnsAt: later(60 * 24) }],
      }),
    ]),
  hostile: (client) => {
    client.business = { name: `\u202eevil\u202c ${LONG_WORD}`, colour: "#ffe600", logo: null };
    client.join([
      client.message("user", LONG_WORD.repeat(90).slice(0, 8_000)),
      client.message("ai", `<img src=x onerror=alert(1)> **${LONG_WORD.repeat(3)}**`, {
        actions: [
          { type: "sources", items: [{ title: LONG_WORD.repeat(2), location: "" }] },
          { type: "business_info", name: LONG_WORD, facts: { [LONG_WORD]: LONG_WORD } },
        ],
      }),
      ...client.event("live", "coordinator", `\u202e${LONG_WORD} has joined.`, {
        coordinatorId: `\u202e${LONG_WORD}`,
      }),
      client.message("coordinator", "[click](javascript:alert(1)) \u202egnp.exe ok", {
        coordinatorId: `\u202e${LONG_WORD}`,
      }),
      client.message("coordinator", `https://example.com/${"a".repeat(1_500)}`, {
        coordinatorId: `\u202e${LONG_WORD}`,
      }),
    ]);
  },
  /** What no server of today sends. */
  strange: (client) => {
    const odd = [undefined, null, 0, "", "constructor", [], {}, [null], [[]], { items: {} }];
    client.join([
      client.message("user", "\u0000\ud83d"),
      ...odd.flatMap((value) => [
        client.message("ai", String(value), {
          timestamp: String(value),
          actions: [
            { type: value },
            { type: "sources", items: value },
            { type: "sources", items: [{ title: value, location: value }] },
            { type: "reservations", items: value },
            { type: "reservations", items: [{ date: value, time: value, guests: value }] },
            { type: "business_info", name: value, facts: value },
            { type: "business_info", facts: { [String(value)]: value } },
            { type: "leave_message", returnsAt: value },
            { type: "confirm", confirmId: value, by: value, title: value, items: value },
            { type: "confirm", confirmId: `c${value}`, items: [{ label: value, value }] },
            { type: "confirmation", confirmId: `c${value}`, state: value },
          ],
        }),
        client.message("user", "★", {
          actions: [{ type: "rating", rating: value, comment: value }],
        }),
        client.message("coordinator", "?", { coordinatorId: value, timestamp: value }),
        client.message(String(value), "From nobody"),
        client.status(String(value), value, { timestamp: value }),
      ]),
    ]);
    client.channel.receive("queue", { place: null, waitS: "soon" });
    client.connect({ name: "unheard_of" });
  },
  rtl: (client) => {
    client.business = { name: "مطعم النور", colour: "#7a3cff", logo: null };
    client.join([
      client.message("user", "مرحبا، هل لديكم طاولة لأربعة أشخاص الليلة؟"),
      client.message(
        "ai",
        "نعم، بكل سرور:\n\n- **السمك** مع الشمر\n- Duck breast\n- ריזוטו\n\nhttps://bistro.example",
      ),
      client.message("user", "OK, thanks! תודה"),
      ...client.event("waiting", "user_request", "لقد طلبت من زميل أن يتولى المحادثة."),
    ]);
  },
  many: (client) => {
    const text = (n) => (n % 7 === 0 ? `${n}. ${"A longer answer. ".repeat(12)}` : `Message ${n}`);
    const messages = Array.from({ length: 10_000 }, (_, n) =>
      client.message(n % 2 ? "ai" : "user", text(n + 1), { minutes: 0.05 }),
    );
    client.join(messages);
  },
};

/**
 * Show a scene.
 *
 * @param {string} name
 * @param {{language?: string, mode?: "widget" | "page"}} [options]
 */
export function show(name, { language = "en", mode = "widget" } = {}) {
  globalThis.view?.dispose();
  const client = new ScriptedClient();
  const root = document.getElementById("chat");
  const frame = mode === "page" ? root : (root.shadowRoot ?? shadowFrame(root)).firstElementChild;
  globalThis.closings = 0;
  globalThis.client = client;
  globalThis.view = new ChatView(frame, client, {
    language,
    mode,
    onClose: mode === "widget" ? () => (globalThis.closings += 1) : undefined,
  });
  SCENES[name](client);
}

/** A frame as the widget has it, out of reach of the page's rules. */
function shadowFrame(host) {
  const tree = host.attachShadow({ mode: "open" });
  const styles = new CSSStyleSheet();
  styles.replaceSync(`
    :host { all: initial !important; position: fixed !important; inset: 0 !important;
      color-scheme: light dark !important; }
    .frame { position: absolute; right: 20px; bottom: 20px; width: 392px; height: 660px;
      border: 1px solid light-dark(#0002, #fff3); border-radius: 16px; overflow: hidden; }
    @media (max-width: 600px) {
      .frame { inset: 0; width: auto; height: auto; border: 0; border-radius: 0; }
    }`);
  tree.adoptedStyleSheets.push(styles);
  const frame = document.createElement("div");
  frame.className = "frame";
  tree.append(frame);
  return tree;
}

globalThis.show = show;
globalThis.scenes = Object.keys(SCENES);
