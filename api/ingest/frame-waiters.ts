interface Waiter {
  readonly through: number;
  readonly goOn: () => void;
}

/** Who waits until everything up to a frame has been relayed. */
export class FrameWaiters {
  readonly #waiters = new Set<Waiter>();

  /** Resolves when everything up to a frame has been, or after `waitMs`. */
  async until(through: number, waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve();
      };
      const waiter = { through, goOn };
      const timer = setTimeout(goOn, waitMs);
      this.#waiters.add(waiter);
    });
  }

  /** Everything up to this frame has been relayed; Infinity: nobody shall wait any more. */
  settle(relayedThrough: number): void {
    for (const waiter of this.#waiters) if (waiter.through <= relayedThrough) waiter.goOn();
  }
}
