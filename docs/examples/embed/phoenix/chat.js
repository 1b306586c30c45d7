// assets/js/chat.js, or a part of app.js
const user = document.body.dataset.user; // the layout names who is signed in

const token = async () => {
  const answer = await fetch("/chat-token");
  if (!answer.ok) throw new Error(`/chat-token answered ${answer.status}`);
  return (await answer.json()).token;
};

(window.AIAgent ??= []).push((agent) => {
  agent.init({ business: "b1", ...(user && { user, token }) });
  const logOut = document.querySelector('a[href="/users/log-out"]');
  logOut?.addEventListener("click", () => agent.signOut());
});
