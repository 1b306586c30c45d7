import { useState } from "react";

import { Chat } from "./Chat";
import { ChatWidget } from "./ChatWidget";

export function App() {
  const [page, setPage] = useState(location.hash.slice(1) || "home");
  const go = (to: string) => () => {
    location.hash = to;
    setPage(to);
  };
  return (
    <>
      <nav>
        <button onClick={go("home")}>Home</button> <button onClick={go("help")}>Help</button>
      </nav>
      {page === "help" ? (
        <main>
          <h1>Help</h1>
          <Chat business="b1" />
        </main>
      ) : (
        <main>
          <h1>Bistro Verde</h1>
          <ChatWidget business="b1" />
        </main>
      )}
    </>
  );
}
