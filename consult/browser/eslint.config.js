import js from "@eslint/js";
import tseslint from "typescript-eslint";

const noCrypto = {
  "no-restricted-imports": ["error", { patterns: [{ group: ["**/crypto/*"], message: "The page may ask the keys, never hold them: use bridge.ts and keys.ts." }] }],
};

export default tseslint.config(
  { ignores: ["node_modules", "eslint.config.js", "build.mjs", "patches.mjs", "tests/flow.gen.mjs", "tests/ghost.mjs", "vitest.config.ts"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { project: ["./tsconfig.json", "./crypto/tsconfig.json", "./verifier/tsconfig.json", "./tests/tsconfig.json"], tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "no-restricted-properties": ["error", { property: "innerHTML", message: "Trusted Types: use textContent or Lit." }],
    },
  },
  { files: ["pages/**", "room/**", "viewer/**", "*.ts"], rules: noCrypto },
);
