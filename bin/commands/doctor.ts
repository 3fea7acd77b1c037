import type { Command } from 'commander';
import pc from 'picocolors';
import { leaf } from '../command-line.ts';
import { EXIT } from '../exit-codes.ts';
import { print, printJson, table } from '../output.ts';

export function declare(program: Command): void {
  leaf(
    program,
    'doctor',
    'look at what runs and what stands in the way; 1 when something must be mended',
    'tocsin doctor',
  ).action(doctor);
}

async function doctor(options: { json?: boolean }): Promise<void> {
  const { examine } = await import('../examine.ts');
  const symptoms = await examine();
  const bad = symptoms.filter(({ state }) => state === 'bad').length;
  if (options.json) printJson({ ok: bad === 0, checks: symptoms });
  else {
    const marks = { good: pc.green('ok'), odd: pc.yellow('odd'), bad: pc.red('BAD'), off: pc.dim('off') };
    print(
      table(
        ['', 'what', 'found', 'what to do'],
        symptoms.map(({ state, what, found, remedy }) => [marks[state], what, found, remedy]),
      ),
    );
    print(bad === 0 ? '\nNothing stands in the way.' : `\n${bad} ${bad === 1 ? 'thing' : 'things'} to mend.`);
  }
  if (bad > 0) process.exitCode = EXIT.failed;
}
