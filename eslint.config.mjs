// House rules as lint: which part may import which, nothing floats, no cycles.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';

/** Forbid value (and, unless `types` is set, type) imports that match the patterns. */
const forbid = (files, message, group, types = false) => ({
  files: files.map((pattern) => `${pattern}/*.ts`),
  rules: {
    '@typescript-eslint/no-restricted-imports': ['error', { patterns: [{ group, message, allowTypeImports: types }] }],
  },
});

/** The rules above do not see `import(...)`. */
const forbidDynamic = (files, selector, message) => ({ files, rules: { 'no-restricted-syntax': ['error', { selector, message }] } });

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.lab'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [importX.createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
      // Without these the plug-in does not look into .ts files, and no-cycle never finds one.
      'import-x/extensions': ['.ts', '.js'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      'import-x/no-cycle': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'max-lines': ['warn', { max: 400, skipBlankLines: true, skipComments: true }],
      'no-restricted-properties': ['error', { object: 'it', property: 'only' }, { object: 'describe', property: 'only' }],
    },
  },
  // Only the command line prints and exits; logic returns values.
  {
    files: ['domain/**', 'workflows/**', 'activities/**', 'config/**'],
    rules: { 'no-console': 'error', 'no-restricted-globals': ['error', 'process'] },
  },
  { files: ['activities/adapters/**', 'config/**'], rules: { 'no-restricted-globals': 'off' } },
  forbid(['domain/**'], 'domain/ is pure: it imports nothing outside itself.', ['../*', '@*/*', 'node:*', 'zod', 'ssh2', 'yaml']),
  forbid(['domain/*/**'], 'domain/ is pure: it imports nothing outside itself.', ['../../*', '@*/*', 'node:*', 'zod', 'ssh2', 'yaml']),
  forbid(['workflows/**'], 'workflows/ is deterministic: domain/, @temporalio/workflow and types only.',
    ['../activities/*', '../activities/**', '../worker/*', '../client/*', '../config/*', '../lab/*', 'node:*', '@kubernetes/*', 'ssh2', 'zod', 'yaml', '@temporalio/activity', '@temporalio/client', '@temporalio/worker'], true),
  forbid(['activities/**'], 'activities/ imports domain/ and its own parts, never workflows/, worker/ or client/.',
    ['**/workflows/*', '**/worker/*', '**/client/*', '**/lab/*', '@temporalio/workflow']),
  forbid(['client/**'], 'client/ talks to a worker through Temporal; it never imports activities.', ['**/activities/**', '**/worker/*', 'ssh2', '@kubernetes/*', '@temporalio/worker', '@temporalio/activity']),
  forbid(['lab/**'], 'lab/ knows nothing of the parts above it.', ['../domain/*', '../workflows/*', '../activities/*', '../worker/*', '../client/*', '../config/*']),
  forbid(['config/**'], 'config/ imports domain/ only.', ['../workflows/*', '../activities/*', '../worker/*', '../client/*', '../lab/*']),
  forbidDynamic(['domain/**', 'workflows/**'], 'ImportExpression', 'domain/ and workflows/ import what they need at the top, where the rules see it.'),
  forbidDynamic(['activities/**'], 'ImportExpression[source.value=/(workflows|worker|client|lab)\\//]', 'activities/ imports domain/ and its own parts.'),
  forbidDynamic(['client/**'], 'ImportExpression[source.value=/(activities|worker)\\/|ssh2|@kubernetes/]', 'client/ never imports activities.'),
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-unused-expressions': 'off', '@typescript-eslint/no-restricted-imports': 'off' },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly', setInterval: 'readonly', clearInterval: 'readonly' } } },
);
