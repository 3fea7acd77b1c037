import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      'proto/gen',
      'console/dist',
      'vendor/dist',
      '.tocsin',
      'embedded/store',
      '**/*.cjs',
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Forgetting to await an activity or a workflow call loses its failure.
      '@typescript-eslint/no-floating-promises': [
        'error',
        // node:test keeps track of its own promises.
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      // A new step kind must break every switch that forgot it.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // A value import of activities pulls Node code into the workflow bundle.
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
    },
  },
  {
    files: ['domain/**/*.ts', 'workflows/**/*.ts', 'plans/**/*.ts'],
    rules: {
      // Replay and rehearsal must see the same world: clocks and randomness come in as arguments.
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout', message: 'Use world.until or workflow timers.' },
        { name: 'setInterval', message: 'Use world.until or workflow timers.' },
        { name: 'process', message: 'The sandbox has no process.' },
        { name: 'Temporal', message: 'The native Temporal object is not deterministic in the sandbox.' },
        { name: 'crypto', message: 'Take randomness as an argument.' },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Take `now` as an argument.' },
        { object: 'Math', property: 'random', message: 'Take a seeded `rng` as an argument.' },
      ],
    },
  },
  {
    // The sandbox replaces Date by the workflow's own, deterministic one.
    files: ['workflows/**/*.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['bin/**/*.ts', 'bench/**/*.ts', 'exercise/**/*.ts', 'examples/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
