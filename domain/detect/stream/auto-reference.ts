/**
 * What `auto` scores on one recorded channel, in plain words and with the whole recording at hand: the measure for the
 * streaming version. Values are finite.
 */
export function autoReference(
  timesMs: readonly number[],
  values: readonly number[],
  p: {
    readonly limit: number;
    readonly memory: number;
    readonly window: number;
    readonly seasonRate: number;
    readonly refractory: number;
    readonly refractoryRows: number;
    readonly familiarity: number;
    readonly learning: number;
  },
): number[] {
  const surprises = surprisesOf(timesMs, values, p.seasonRate);
  const levels = values.flatMap((_, i) =>
    i + 1 < p.window ? [] : [average(values.slice(i + 1 - p.window, i + 1))],
  );
  const surpriseStandings = standings(surprises, p.memory);
  const levelStandings = standings(levels, p.memory);
  const statistics = values.map(
    (_, i) => surpriseStandings[i]! + (i + 1 < p.window ? 0 : levelStandings[i + 1 - p.window]!),
  );

  let causeUntil = -1;
  let highest = 0;
  let current: Cause | undefined;
  let remembered: Cause[] = [];
  return statistics.map((statistic, i) => {
    if (i < p.learning || statistic === 0) return 0;
    if (i > causeUntil) {
      highest = 0;
      current = undefined;
    }
    const alike = remembered
      .filter((cause) => cause !== current && cause.peak >= 0.75 * statistic)
      .reduce((sum, cause) => sum + Math.exp(-(i - cause.row) / p.memory), 0);
    const surprising = statistic / (1 + p.familiarity * Math.max(0, alike - 1));
    if (surprising <= highest) return 0;
    highest = surprising;
    causeUntil = i + Math.min(p.refractoryRows, p.refractory * i);
    if (statistic >= 3) {
      current ??= { row: i, peak: 0 };
      current.peak = Math.max(current.peak, statistic);
      if (!remembered.includes(current)) remembered = [...remembered, current].slice(-8);
    }
    return surprising / (surprising + p.limit);
  });
}

interface Cause {
  readonly row: number;
  peak: number;
}

/** Value minus the expectation, by level, day or week, that missed least so far. */
function surprisesOf(timesMs: readonly number[], values: readonly number[], rate: number): number[] {
  const byDay = new Map<number, number>();
  const byWeek = new Map<number, number>();
  let level = values[0] ?? 0;
  const missed = [0, 0, 0];
  return values.map((value, i) => {
    const hour = Math.floor(timesMs[i]! / 3_600_000);
    const day = hour % 24;
    const week = hour % 168;
    const dayLevel = byDay.get(day) ?? level;
    const weekLevel = byWeek.get(week) ?? dayLevel;
    const errors = [value - level, value - dayLevel, value - weekLevel];
    let best = 0;
    for (const candidate of [1, 2]) if (missed[candidate]! < missed[best]!) best = candidate;

    const fade = Math.max(0.003, 1 / (i + 1));
    for (const k of [0, 1, 2]) missed[k] = missed[k]! + fade * (Math.abs(errors[k]!) - missed[k]!);
    level += fade * (value - level);
    byDay.set(day, byDay.has(day) ? dayLevel + rate * (value - dayLevel) : value);
    byWeek.set(week, byWeek.has(week) ? weekLevel + rate * (value - weekLevel) : value);
    return errors[best]!;
  });
}

/** How many standard deviations each value lies from the weighted mean of those before it; the first ones count 0. */
function standings(values: readonly number[], memory: number): number[] {
  let mean = 0;
  let variance = 0;
  return values.map((value, i) => {
    const away = value - mean;
    const onlyRounding = Math.abs(away) <= 1e-9 * Math.abs(mean);
    const far = variance === 0 ? 100 : Math.min(100, Math.abs(away) / Math.sqrt(variance));
    const standing = i <= 20 || onlyRounding ? 0 : far;
    const rate = Math.max(1 / memory, 1 / (i + 1));
    mean += rate * away;
    variance = (1 - rate) * (variance + rate * away ** 2);
    return standing;
  });
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
