import { type FormEvent } from "react";

import { useChat } from "./useChat";

const AUTHORS: Record<string, string> = { user: "You", ai: "Assistant", coordinator: "Staff" };

/** The chat with an interface of the website's own. */
export function Chat({ business }: { business: string }) {
  const { items, status, connection, isAnswering, send, retry } = useChat({ business });

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = String(new FormData(form).get("text")).trim();
    if (text) send(text);
    form.reset();
  };

  return (
    <section aria-label="Chat">
      <p role="status">
        {connection === "joined"
          ? status === "live"
            ? "A person is here"
            : "Online"
          : "Connecting…"}
      </p>
      <ol>
        {items.map((item) =>
          item.kind === "message" ? (
            <li key={item.key} data-author={item.author} data-state={item.state}>
              <b>{AUTHORS[item.author] ?? ""}</b> {item.text}
              {item.state === "failed" && (
                <button onClick={() => retry(item.key)}>Send again</button>
              )}
            </li>
          ) : null,
        )}
      </ol>
      {isAnswering && <p>…</p>}
      <form onSubmit={submit}>
        <input name="text" aria-label="Message" autoComplete="off" />
        <button>Send</button>
      </form>
    </section>
  );
}
