import { useEffect, useReducer, useState } from "react";

import { createClient, type ChatClient, type ClientOptions } from "https://chat.example/client.js";

/** A chat with a business, for as long as the component is: what is said, and how to say it. */
export function useChat({ business, language }: ClientOptions) {
  const [chat, setChat] = useState<ChatClient | null>(null);
  const [, redraw] = useReducer((changes: number) => changes + 1, 0);

  useEffect(() => {
    const client = createClient({ business, language });
    client.on("change", redraw);
    client.connect();
    setChat(client);
    return () => client.dispose();
  }, [business, language]);

  const conversation = chat?.conversation;
  return {
    items: conversation?.items() ?? [],
    /** `ai`, `waiting`, `live` or `closed`: who answers. */
    status: conversation?.status ?? "ai",
    connection: chat?.connection.name ?? "idle",
    isAnswering: conversation?.isAnswering ?? false,
    send: (text: string) => conversation?.send(text),
    retry: (key: string) => conversation?.retry(key),
  };
}
