/** Pass 1: who may import whom (docs/adr/0003). `import type` edges are allowed where the table says so. */
const none = { dependencyTypesNot: ['type-only'] };
const rooms =
  '^(domain|plans|workflows|activities|models|proto|api|jobs|embedded|exercise|vendor|bin|console)/';
const stays = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: rooms, pathNot: allowed, ...none },
});

module.exports = {
  forbidden: [
    stays(
      'domain-is-pure',
      '^domain/',
      '^domain/',
      'The domain runs in the workflow sandbox and in the simulator: it imports only itself. Take what you need as an argument or a port.',
    ),
    {
      name: 'domain-imports-no-package',
      severity: 'error',
      comment:
        'No package and no Node built-in in the domain: hand in the result, a clock or a seeded random source.',
      from: { path: '^domain/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core', 'npm-peer', 'npm-optional'] },
    },
    stays(
      'plans-are-data',
      '^plans/(?!procedures/)',
      '^(plans|domain/plan)/',
      'A plan file only describes: it may import the plan vocabulary and other plan files.',
    ),
    stays(
      'procedures-are-workflow-code',
      '^plans/procedures/',
      '^(plans|domain)/',
      'A procedure is workflow code: it may use the workflow SDK and the domain.',
    ),
    stays(
      'workflows-see-domain-only',
      '^workflows/',
      '^(workflows|domain)/',
      'A workflow may import the domain and, as types only, the activities. A value import pulls Node code into the sandbox.',
    ),
    stays(
      'activities-see-domain-and-contract',
      '^activities/',
      '^(activities|domain)/|^workflows/contract\\.ts$',
      'Activities speak to workflows by the names in workflows/contract.ts. They receive stores and adapters through ports; they do not import models, api or bin.',
    ),
    stays(
      'models-implement-ports',
      '^models/',
      '^(models|domain)/',
      'A model implements a domain port and knows nothing of who calls it.',
    ),
    stays(
      'proto-stands-alone',
      '^proto/(?!map\\.ts)',
      '^proto/',
      'Generated code and wire helpers import nothing of ours; proto/map.ts is the one place that sees wire and domain.',
    ),
    stays(
      'proto-map-sees-domain',
      '^proto/map\\.ts',
      '^(proto|domain)/',
      'map.ts translates wire to domain and back; it needs nothing else.',
    ),
    stays(
      'api-sees-domain-and-contract',
      '^api/',
      '^(api|domain|proto)/|^workflows/contract\\.ts$',
      'The API talks to workflows by the names in workflows/contract.ts and to stores through ports.',
    ),
    stays(
      'jobs-see-domain-and-contract',
      '^jobs/',
      '^(jobs|domain|proto)/|^workflows/contract\\.ts$',
      'Jobs are housekeeping: same view as the API.',
    ),
    stays(
      'vendor-kit-stands-alone',
      '^vendor/',
      '^(vendor|proto|domain/errors)',
      'A vendor installs the kit alone: it may use the wire and the error type, and nothing else of ours.',
    ),
    stays(
      'exercise-is-a-client',
      '^exercise/',
      '^(exercise|vendor|domain|proto)/|^workflows/contract\\.ts$',
      'The exercise conductor plays vendors, crews and the clock: it is a client like any other.',
    ),
    stays(
      'embedded-is-node-only',
      '^embedded/',
      '^embedded/',
      'Embedded servers are obtained and run with Node alone, before anything of ours is loaded.',
    ),
    {
      name: 'bin-is-the-top',
      severity: 'error',
      comment: 'bin/ composes; nothing imports it.',
      from: { path: rooms, pathNot: '^bin/' },
      to: { path: '^bin/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle means two files are one story told twice: merge them or lift the shared part.',
      from: { path: rooms },
      to: { circular: true, ...none },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^console/(dist|node_modules)' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
