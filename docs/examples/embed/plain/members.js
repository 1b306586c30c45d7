const signIn = document.querySelector("#sign-in");
const signOut = document.querySelector("#sign-out");
const ask = document.querySelector("#ask");

// The website's own server: it signs a token of whoever is signed in, and answers 204 if nobody is.
const fetchToken = async () => {
  const answer = await fetch("/chat-token");
  if (answer.status !== 200) throw new Error(`/chat-token answered ${answer.status}`);
  return answer.text();
};

const show = (isSignedIn) => {
  signIn.hidden = isSignedIn;
  signOut.hidden = !isSignedIn;
};

// Until widget.js is there, an array keeps what it is to do.
(window.AIAgent ??= []).push(async (agent) => {
  const isSignedIn = (await fetch("/chat-token")).status === 200;
  show(isSignedIn);
  agent.init({ business: "b1", title: "Ask the bistro", ...(isSignedIn && { token: fetchToken }) });

  ask.addEventListener("click", () => agent.open());
  agent.on("unread", (count) => {
    ask.textContent = count > 0 ? `Ask us (${count})` : "Ask us";
  });

  signIn.addEventListener("submit", async (event) => {
    event.preventDefault();
    await fetch("/session", { method: "POST", body: new FormData(signIn) });
    agent.setUser({ token: fetchToken });
    show(true);
  });
  signOut.addEventListener("click", async () => {
    await fetch("/session", { method: "DELETE" });
    agent.signOut();
    show(false);
  });
});
