/** Pass 2: what workflow code can reach at run time, through however many files (docs/adr/0003). */
module.exports = {
  forbidden: [
    {
      name: 'sandbox-stays-clean',
      severity: 'error',
      comment:
        'Workflow code runs in a deterministic sandbox: it must not reach Node built-ins, mongoose, gRPC, zod or the activity SDK.',
      from: { path: '^(workflows|domain|plans)/' },
      to: {
        path: '(^(fs|net|http|https|crypto|child_process|os|path|worker_threads)$)|node_modules/(mongoose|@grpc|zod|express|@temporalio/(activity|client|worker))/',
        reachable: true,
      },
    },
  ],
  options: {
    tsPreCompilationDeps: false,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
