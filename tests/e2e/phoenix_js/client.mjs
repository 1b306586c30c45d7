// The official client, playing one scenario: node client.mjs <scenario> <ws://…/socket>
// What its callbacks say goes to standard output, one JSON array per line.
// TRANSPORT: WebSocket (default), LongPoll, or fallback (a WebSocket, and long-poll after 2 s).
// CLIENT: the package, phoenix (default) or phoenix-1.7.
import WebSocket from "ws";

// The browser's, as far as the package phoenix-1.7 uses it.
class XMLHttpRequest {
  open(method, url) {
    this.request = [url, { method, headers: {} }];
    this.aborter = new AbortController();
  }

  setRequestHeader(name, value) {
    this.request[1].headers[name] = value;
  }

  async send(body) {
    const [url, options] = this.request;
    try {
      const signal = this.aborter.signal;
      const response = await fetch(url, { ...options, body, signal });
      this.responseText = await response.text();
      this.status = response.status;
    } catch {
      this.responseText = "";
      this.status = 0;
    }
    this.readyState = 4;
    if (!this.aborter.signal.aborted) this.onreadystatechange?.();
  }

  abort() {
    this.aborter.abort();
  }
}
if (process.env.CLIENT === "phoenix-1.7") {
  Object.assign(globalThis, { self: globalThis, XMLHttpRequest });
}

const { LongPoll, Socket } = await import(process.env.CLIENT ?? "phoenix");

const transports = {
  WebSocket: { transport: WebSocket },
  LongPoll: { transport: LongPoll },
  fallback: { transport: WebSocket, longPollFallbackMs: 2000 },
};

const say = (...words) => console.log(JSON.stringify(words));

const open = (params = {}, options = {}) => {
  const socket = new Socket(process.argv[3], {
    ...transports[process.env.TRANSPORT ?? "WebSocket"],
    params,
    authToken: "secret",
    reconnectAfterMs: () => 50,
    rejoinAfterMs: () => 50,
    ...options,
  });
  socket.connect();
  return socket;
};

// The outcome of a push or a join, as [status, response].
const outcome = (push) =>
  new Promise((resolve) => {
    for (const status of ["ok", "error", "timeout"]) {
      push.receive(status, (response) => resolve([status, response]));
    }
  });

const event = (channel, name) => new Promise((resolve) => channel.on(name, resolve));

const joined = async (socket, topic, params = {}) => {
  const channel = socket.channel(topic, params);
  say("join", topic, ...(await outcome(channel.join())));
  return channel;
};

const scenarios = {
  async join() {
    await joined(open(), "room:reply", { user: "bob" });
  },

  async push_with_reply() {
    const channel = await joined(open(), "room:a");
    say("ping", ...(await outcome(channel.push("ping", { text: "Bună, ☕!" }))));
    say("err", ...(await outcome(channel.push("err", {}))));
    say("async", ...(await outcome(channel.push("async", { late: true }))));
  },

  async push_before_joined() {
    const channel = open().channel("room:slow");
    const joining = outcome(channel.join());
    const pushing = outcome(channel.push("ping", { n: 1 }));
    say("join", ...(await joining));
    say("ping", ...(await pushing));
  },

  async server_push() {
    const channel = open().channel("room:after", { user: "bob" });
    const arrived = Promise.all([event(channel, "user_entered"), event(channel, "joined")]);
    say("join", ...(await outcome(channel.join())));
    say("pushes", ...(await arrived));
  },

  async broadcast() {
    const speaker = await joined(open(), "room:a");
    const listener = await joined(open(), "room:a");
    const heard = [event(speaker, "shout"), event(listener, "shout")];
    speaker.push("shout", { n: 1 });
    say("heard", ...(await Promise.all(heard)));
    const others = event(listener, "shout");
    speaker.on("shout", () => say("the speaker hears itself"));
    speaker.push("shout_from", { n: 2 });
    say("others heard", await others);
    await outcome(speaker.push("ok", {}));
  },

  async refused_join() {
    const channel = await joined(open(), "room:deny", { a: 1 });
    say("state", channel.state);
  },

  async crashed_join() {
    await joined(open(), "room:crash");
  },

  async unmatched_topic() {
    await joined(open(), "nowhere");
  },

  async duplicate_join() {
    const socket = open();
    const first = await joined(socket, "room:a");
    first.onClose(() => say("first closed", first.state));
    const second = await joined(socket, "room:a");
    say("ping", ...(await outcome(second.push("ping", { n: 2 }))));
    say("states", first.state, second.state);
  },

  async leave() {
    const socket = open();
    const channel = await joined(socket, "room:term");
    channel.onClose(() => say("closed"));
    say("leave", ...(await outcome(channel.leave())));
    const again = await joined(socket, "room:term");
    say("state", again.state);
  },

  async graceful_stop() {
    const channel = await joined(open(), "room:a");
    const closed = new Promise((resolve) => channel.onClose(resolve));
    say("stop_reply", ...(await outcome(channel.push("stop_reply", {}))));
    await closed;
    say("state", channel.state);
  },

  async crash() {
    const channel = open().channel("room:a");
    let joins = 0;
    const rejoined = new Promise((resolve) =>
      channel.join().receive("ok", () => {
        joins += 1;
        say("joined", joins);
        if (joins === 1) channel.push("boom", {});
        if (joins === 2) resolve();
      }),
    );
    channel.onError((reason) => say("error", reason));
    await rejoined;
    say("ping", ...(await outcome(channel.push("ping", { n: 1 }))));
  },

  async heartbeats() {
    const socket = open({}, { heartbeatIntervalMs: 100 });
    await joined(socket, "room:a");
    await new Promise((resolve) => {
      let answered = 0;
      socket.onMessage(({ topic, event }) => {
        if (topic === "phoenix" && event === "phx_reply" && ++answered === 3) resolve();
      });
    });
    say("alive", socket.isConnected());
  },

  async restart() {
    const channel = open().channel("room:a");
    let joins = 0;
    channel.onError(() => say("error"));
    await new Promise((resolve) =>
      channel.join().receive("ok", () => {
        joins += 1;
        say("joined", joins);
        if (joins === 2) resolve();
      }),
    );
    say("ping", ...(await outcome(channel.push("ping", { n: 1 }))));
  },

  // The whole way of a user: a streamed answer, a restart of the server, and the rest of the log.
  async chat() {
    const socket = open();
    const identity = { businessId: "b1", locationId: "l1", userId: "u1" };
    let seq = 0;
    const channel = socket.channel("messages:b1", () => ({
      ...identity,
      stream: true,
      lastSeq: seq,
    }));
    const deltas = [];
    channel.on("message_delta", ({ text }) => deltas.push(text));
    let joins = 0;
    const rejoined = new Promise((resolve) => {
      channel.join().receive("ok", ({ messages }) => {
        joins += 1;
        if (joins === 2) resolve(messages);
      });
    });
    const answered = event(channel, "new_message");
    const [status] = await outcome(channel.push("new_message", { ...identity, message: "Salut!" }));
    const answer = await answered;
    seq = answer.seq;
    say("new_message", status, deltas.length > 0, deltas.join("") === answer.message);
    say("rejoined", await rejoined);
    const again = event(channel, "new_message");
    const [stored] = await outcome(channel.push("new_message", { ...identity, message: "Și?" }));
    say("new_message", stored, (await again).author, socket.transport.name);
  },

  async token(authToken) {
    const socket = open({}, { authToken });
    const channel = socket.channel("messages:b1", { businessId: "b1", userId: "u1" });
    channel.on("token_expired", (payload) => say("token_expired", payload));
    channel.onError(() => say("error"));
    const closed = new Promise((resolve) => channel.onClose(resolve));
    let joins = 0;
    channel.onMessage = (event, payload) => {
      if (event === "phx_reply") joins += 1;
      return payload;
    };
    const [status, { reason, tokenExpiresAt }] = await outcome(channel.join());
    say("join", status, reason ?? typeof tokenExpiresAt);
    await closed;
    say("closed", channel.state);
    // By now it would have tried again several times, if it did.
    await new Promise((resolve) => setTimeout(resolve, 500));
    say("joins", joins, socket.isConnected(), socket.channels.length);
  },

  // The function is asked again at every connection, so the second one has another token.
  async token_function(tokens) {
    const left = tokens.split(",");
    const socket = open({}, { authToken: () => left.shift() });
    const params = { businessId: "b1", userId: "u1" };
    const first = socket.channel("messages:b1", params);
    const closed = new Promise((resolve) => first.onClose(resolve));
    say("join", (await outcome(first.join()))[0]);
    await closed;
    await new Promise((resolve) => socket.disconnect(resolve));
    socket.connect();
    say("join", (await outcome(socket.channel("messages:b1", params).join()))[0]);
  },

  async disconnect() {
    const socket = open({ uid: "7" });
    const channel = await joined(socket, "room:a");
    const closed = new Promise((resolve) => socket.onClose(resolve));
    channel.push("disconnect", {});
    say("closed", (await closed).code);
    await new Promise((resolve) => socket.onOpen(resolve));
    say("reopened");
  },
};

await scenarios[process.argv[2]](...process.argv.slice(4));
process.exit();
