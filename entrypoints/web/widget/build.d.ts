// What the build puts into the sources: styles as text, and the path of the panel.

declare module "*.css" {
  const text: string;
  export default text;
}

declare const PANEL_PATH: string;
