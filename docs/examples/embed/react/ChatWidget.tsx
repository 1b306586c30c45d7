import { useEffect, useRef } from "react";

interface Props {
  business: string;
  /** Who is signed in to the website, if anybody is. */
  user?: string;
}

const fetchToken = async () => (await fetch("/chat-token")).text();

/** Until widget.js is there, an array keeps what it is to do. */
const withAgent = (action: (agent: AIAgent) => void) => {
  window.AIAgent ??= [];
  window.AIAgent.push(action);
};

/** The chat on a page, for as long as this component is. */
export function ChatWidget({ business, user }: Props) {
  const shown = useRef(user);

  useEffect(() => {
    const as = shown.current === undefined ? {} : { user: shown.current, token: fetchToken };
    withAgent((agent) => agent.init({ business, ...as }));
    return () => withAgent((agent) => agent.destroy());
  }, [business]);

  useEffect(() => {
    if (user === shown.current) return;
    shown.current = user;
    if (user === undefined) withAgent((agent) => agent.signOut());
    else withAgent((agent) => agent.setUser({ user, token: fetchToken }));
  }, [user]);

  return null;
}
