import { Command, CommanderError } from 'commander';
import { explainFailure } from './command-line.ts';
import { EXIT } from './exit-codes.ts';
import { NOUNS } from './nouns.ts';

// `tocsin ... | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const [asked] = process.argv.slice(2);
const program = new Command('tocsin')
  .description('Runs emergency plans: detect, classify, dispatch, evaluate, refine.')
  .version('0.1.0')
  .exitOverride()
  .showSuggestionAfterError()
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 unavailable.

Example:
  $ tocsin start --once --speed max`,
  );

for (const [name, { summary, load }] of Object.entries(NOUNS)) {
  if (name === asked) (await load()).declare(program, name);
  else program.command(name).summary(summary).description(summary);
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said it already.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.exitCode = explainFailure(error, process.argv.includes('--json'));
  }
}
