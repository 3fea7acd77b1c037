/**
 * Small numbers for the ids of sensors (0, 1, 2, …), so that what is known of each can lie in arrays. A sensor keeps its
 * number for as long as the process runs; nothing durable holds one.
 */
export class SensorNumbers {
  readonly #numbers = new Map<string, number>();

  of(sensor: string): number {
    let number = this.#numbers.get(sensor);
    if (number === undefined) this.#numbers.set(sensor, (number = this.#numbers.size));
    return number;
  }
}
