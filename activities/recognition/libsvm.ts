import { createRequire } from 'node:module';
import { rowOf } from '../../domain/classify/matrix.ts';
import type { FitSvm } from '../../domain/classify/train.ts';

interface LibsvmRuntime {
  /** Where the runtime writes its complaints. */
  printErr: (message: string) => void;
  load(): Promise<void>;
}

/** What is used of `libsvm-js`; it ships no types. */
export interface LibsvmMachine {
  train(samples: readonly (readonly number[])[], labels: readonly number[]): void;
  predictOne(sample: readonly number[]): number;
  predictOneProbability(sample: readonly number[]): {
    prediction: number;
    estimates: { label: number; probability: number }[];
  };
  getLabels(): number[];
  serializeModel(): string;
  free(): void;
}

export interface Libsvm {
  new (options: {
    cost?: number;
    gamma?: number;
    weight?: Readonly<Record<number, number>>;
    probabilityEstimates?: boolean;
    quiet?: boolean;
    cacheSize?: number;
  }): LibsvmMachine;
  load(text: string): LibsvmMachine;
}

let loading: Promise<Libsvm> | undefined;

/** libsvm 3.22 as WebAssembly. Loaded once a process. */
export function loadLibsvm(): Promise<Libsvm> {
  loading ??= (async () => {
    const require = createRequire(import.meta.url);
    const runtime = require('libsvm-js/out/wasm/libsvm.js') as LibsvmRuntime;
    // It first tries to stream its code over HTTP, complains twice, then reads the file beside it.
    runtime.printErr = () => {};
    await runtime.load();
    return (require('libsvm-js/src/loadSVM.js') as (runtime: LibsvmRuntime) => Libsvm)(runtime);
  })();
  return loading;
}

/** The trainer that `trainRecogniser` takes for kind `svm`. Deterministic: no probability estimates of libsvm's own. */
export async function createFitSvm(): Promise<FitSvm> {
  const Machine = await loadLibsvm();
  return (x, y, { cost, gamma, classWeights }) => {
    const machine = new Machine({
      ...(cost === undefined ? {} : { cost }),
      gamma,
      weight: Object.fromEntries((classWeights ?? []).map((weight, k) => [k, weight])),
      quiet: true,
    });
    try {
      const samples = Array.from({ length: x.rows }, (_, r) => Array.from(rowOf(x, r)));
      machine.train(samples, Array.from(y));
      return machine.serializeModel();
    } finally {
      // The machine lives in WebAssembly memory, which nobody collects.
      machine.free();
    }
  };
}
