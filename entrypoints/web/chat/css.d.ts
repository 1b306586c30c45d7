// The build puts a style sheet in as text.

declare module "*.css" {
  const text: string;
  export default text;
}
