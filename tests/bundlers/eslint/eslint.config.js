import plugin from 'eslint-plugin-import';

export default [
  {
    plugins: { import: plugin },
    rules: { 'import/no-unresolved': 'error' },
    // Its resolver knows `main`, and no `exports`.
    settings: { 'import/resolver': { node: true } },
  },
];
