/** What `widget.js` puts on the page, as far as this website uses it. */
interface AIAgent {
  init(options: { business: string; user?: string; token?: () => Promise<string> }): void;
  setUser(user: { user?: string; token: () => Promise<string> }): void;
  signOut(): void;
  destroy(): void;
  push(action: (agent: AIAgent) => void): void;
}

interface Window {
  AIAgent?: { push(action: (agent: AIAgent) => void): unknown };
}
