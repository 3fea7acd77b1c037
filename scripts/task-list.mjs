import readline from 'node:readline';

/*
 * Shows what set-up and the checks are doing: a list that redraws itself on a terminal, plain lines elsewhere.
 * Everything goes to standard error: standard output belongs to the product.
 */
const out = process.stderr;
const onTerminal = Boolean(out.isTTY) && !process.env.CI && process.env.TERM !== 'dumb';
const inColour = onTerminal && !process.env.NO_COLOR;

const paint = (code, text) => (inColour ? `\u001b[${code}m${text}\u001b[0m` : text);
const MARKS = { waiting: ' ', running: paint(36, '…'), done: paint(32, '✔'), failed: paint(31, '✖') };

/**
 * Runs tasks, each a `{ title, run(note) }`, all at once. `note(text)` shows what a task is doing; what `run`
 * returns is shown as its result.
 *
 * @returns one settled result per task, in order
 */
export async function runTasks(tasks, { atOnce = tasks.length } = {}) {
  const rows = tasks.map(({ title }) => ({ title, state: 'waiting', note: '', seconds: 0 }));
  const list = onTerminal ? redrawing(rows) : plain();
  const results = new Array(tasks.length);
  let next = 0;
  const worker = async () => {
    while (next < tasks.length) {
      const index = next++;
      const row = rows[index];
      const started = performance.now();
      row.state = 'running';
      list.changed(row);
      const note = (text) => {
        row.note = text;
        list.changed(row);
      };
      try {
        const value = await tasks[index].run(note);
        results[index] = { status: 'fulfilled', value };
        row.state = 'done';
        row.note = value ?? '';
      } catch (reason) {
        results[index] = { status: 'rejected', reason };
        row.state = 'failed';
        row.note = reason.message.split('\n')[0];
      }
      row.seconds = (performance.now() - started) / 1_000;
      list.changed(row);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, tasks.length) }, worker));
  list.end();
  return results;
}

function line({ title, state, note, seconds }) {
  const took = seconds >= 1 ? paint(2, ` (${seconds.toFixed(1)} s)`) : '';
  return `${MARKS[state]} ${title}${note ? paint(2, `: ${note}`) : ''}${took}`;
}

function plain() {
  return {
    changed(row) {
      // A waiting or just started task has nothing to say yet.
      if (row.state === 'running' && !row.note) return;
      out.write(`${line(row)}\n`);
    },
    end() {},
  };
}

function redrawing(rows) {
  let drawn = 0;
  const draw = () => {
    if (drawn) readline.moveCursor(out, 0, -drawn);
    for (const row of rows) {
      readline.clearLine(out, 0);
      out.write(`${clip(line(row))}\n`);
    }
    drawn = rows.length;
  };
  return { changed: draw, end() {} };
}

/** A line that wraps would break the redrawing. */
function clip(text) {
  const visible = text.replace(/\u001b\[\d+m/g, '');
  const width = Math.max(20, (out.columns || 80) - 1);
  return visible.length <= width ? text : `${visible.slice(0, width - 1)}…`;
}
