import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["entrypoints/web/dist/"] },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "off",
      // With Trusted Types, a browser refuses what these would do; here it shows sooner.
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML", "write"].map((property) => ({
          property,
          message: "Text from the wire must not become markup.",
        })),
      ],
    },
  },
  {
    files: ["entrypoints/web/**/*.js"],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ["entrypoints/web/widget/widget.js"],
    languageOptions: { globals: { PANEL_PATH: "readonly" } }, // by the build
  },
  {
    files: ["entrypoints/web/*.mjs", "tests/**/*.js", "tests/**/*.mjs", "*.js"],
    languageOptions: { globals: globals.node },
  },
];
