import type { Json, Level, Text } from '../units.ts';
import { LEVELS } from '../units.ts';
import { describeCondition, describeDuration, describeStep } from './describe.ts';
import type { Condition, PlanDocument, Step } from './document.ts';

/** One change between two versions of a plan, as people would say it. */
export interface PlanChange {
  /** Where, in the later document; in the earlier one for what was removed. */
  readonly path: string;
  /** null: it was not there. */
  readonly from: Json;
  /** null: it is no longer there. */
  readonly to: Json;
  readonly text: Text;
}

/**
 * What a planner would say has changed: conditions and steps whole and in words, steps matched by what they do and
 * not by their position, numbers with their units. Empty when the documents are equal.
 *
 * @example
 * diffPlans(before, after)[0].text.en // 'detect, magnitude: 1 → 1.1'
 */
export function diffPlans(from: PlanDocument, to: PlanDocument): PlanChange[] {
  const changes: PlanChange[] = [];
  compare(asJson(from), asJson(to), [], changes);
  return changes;
}

type Members = { readonly [key: string]: Json };
type Path = readonly string[];

/** Documents are plain JSON; interfaces without an index signature hide it from the compiler. */
const asJson = (value: PlanDocument | Condition | Step): Json => value as unknown as Json;

const isMembers = (value: Json): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
const isStepList = (path: Path): boolean =>
  path.at(-1) === 'steps' || (path.length === 2 && path[0] === 'dispatch');

/** A list without a step in it says nothing, and yet is not the same as none. */
const hasSteps = (from: Json, to: Json): boolean =>
  [from, to].some((list) => isList(list) && list.length > 0);

function compare(from: Json, to: Json, path: Path, changes: PlanChange[]): void {
  if (same(from, to)) return;
  if (isCondition(from) && isCondition(to)) return changedCondition(from, to, path, changes);
  if (
    isStepList(path) &&
    hasSteps(from, to) &&
    (from === null || isList(from)) &&
    (to === null || isList(to))
  ) {
    return compareSteps((from ?? []) as unknown as Step[], (to ?? []) as unknown as Step[], path, changes);
  }
  if (isMembers(from) && isMembers(to)) {
    for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
      compare(from[key] ?? null, to[key] ?? null, [...path, key], changes);
    }
    return;
  }
  if (isList(from) && isList(to) && from.every(isMembers) && to.every(isMembers)) {
    const longer = Math.max(from.length, to.length);
    for (let index = 0; index < longer; index += 1) {
      compare(from[index] ?? null, to[index] ?? null, [...path, String(index)], changes);
    }
    return;
  }
  changes.push(changed(path, from, to, shown(path, from), shown(path, to)));
}

/** Scale rules have a member of the same name, which is no text there. */
const isCondition = (value: Json): value is Members => isMembers(value) && typeof value['when'] === 'string';

/** A condition in which one number moved is that number; any other change is the whole condition in words. */
function changedCondition(from: Members, to: Members, path: Path, changes: PlanChange[]): void {
  const leaves = differingLeaves(from, to, path);
  const [leaf] = leaves;
  if (leaf !== undefined && leaves.length === 1) {
    changes.push(
      changed(leaf.path, leaf.from, leaf.to, shown(leaf.path, leaf.from), shown(leaf.path, leaf.to)),
    );
    return;
  }
  const [before, after] = [from, to].map((one) => describeCondition(one as unknown as Condition)) as [
    Text,
    Text,
  ];
  changes.push(changed(path, from, to, before, after));
}

interface Leaf {
  readonly path: Path;
  readonly from: Json;
  readonly to: Json;
}

/** Scalars that differ; a difference in form counts twice, so that it never looks like a single number. */
function differingLeaves(from: Json, to: Json, path: Path): Leaf[] {
  if (same(from, to)) return [];
  const bothMembers = isMembers(from) && isMembers(to);
  const bothLists = isList(from) && isList(to) && from.length === to.length;
  if (!bothMembers && !bothLists) {
    const leaf = { path, from, to };
    return typeof from === 'number' && typeof to === 'number' ? [leaf] : [leaf, leaf];
  }
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  const member = (value: Json, key: string): Json => (value as Members)[key] ?? null;
  return [...keys].flatMap((key) => differingLeaves(member(from, key), member(to, key), [...path, key]));
}

/** Steps that stay are matched first; between two that stay, one step is taken for a change of another of its kind. */
function compareSteps(from: readonly Step[], to: readonly Step[], path: Path, changes: PlanChange[]): void {
  let [i, j] = [0, 0];
  for (const [keptFrom, keptTo] of [...kept(from, to), [from.length, to.length] as const]) {
    while (i < keptFrom || j < keptTo) {
      const [before, after] = [i < keptFrom ? from[i] : undefined, j < keptTo ? to[j] : undefined];
      if (before !== undefined && after !== undefined && before.do === after.do) {
        changedStep(before, after, [...path, String(j)], changes);
        [i, j] = [i + 1, j + 1];
      } else if (before !== undefined) {
        changes.push(gone(before, [...path, String(i)]));
        i += 1;
      } else if (after !== undefined) {
        changes.push(added(after, [...path, String(j)]));
        j += 1;
      }
    }
    [i, j] = [keptFrom + 1, keptTo + 1];
  }
}

function changedStep(from: Step, to: Step, path: Path, changes: PlanChange[]): void {
  if ('steps' in from && 'steps' in to && sameWithoutSteps(from, to)) {
    compareSteps(from.steps, to.steps, [...path, 'steps'], changes);
    return;
  }
  changes.push(changed(path, asJson(from), asJson(to), withFallback(from), withFallback(to)));
}

const sameWithoutSteps = (from: Step, to: Step): boolean =>
  textOf({ ...from, steps: [] } as unknown as Step) === textOf({ ...to, steps: [] } as unknown as Step);

/** What a step says, without the id: that is its position. */
const textOf = (step: Step): string =>
  JSON.stringify(step, (key, value: unknown) => (key === 'id' ? undefined : value));

/** Longest common subsequence of two lists of steps, as pairs of positions. */
function kept(from: readonly Step[], to: readonly Step[]): [number, number][] {
  const [a, b] = [from.map(textOf), to.map(textOf)];
  const longest = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i]![j] =
        a[i] === b[j] ? longest[i + 1]![j + 1]! + 1 : Math.max(longest[i + 1]![j]!, longest[i]![j + 1]!);
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (longest[i + 1]![j]! >= longest[i]![j + 1]!) i += 1;
    else j += 1;
  }
  return pairs;
}

function withFallback(step: Step): Text {
  const text = describeStep(step);
  if (!('otherwise' in step) || step.otherwise === undefined) return text;
  const otherwise = withFallback(step.otherwise);
  return { en: `${text.en}, otherwise ${otherwise.en}`, zh: `${text.zh}，否则${otherwise.zh}` };
}

const gone = (step: Step, path: Path): PlanChange => {
  const text = withFallback(step);
  const where = label(path.slice(0, -1));
  return {
    path: path.join('.'),
    from: asJson(step),
    to: null,
    text: { en: `${where.en}: no longer ${text.en}`, zh: `${where.zh}：不再${text.zh}` },
  };
};

const added = (step: Step, path: Path): PlanChange => {
  const text = withFallback(step);
  const where = label(path.slice(0, -1));
  return {
    path: path.join('.'),
    from: null,
    to: asJson(step),
    text: { en: `${where.en}: new, ${text.en}`, zh: `${where.zh}：新增${text.zh}` },
  };
};

const changed = (path: Path, from: Json, to: Json, before: Text, after: Text): PlanChange => {
  const where = label(path);
  return {
    path: path.join('.'),
    from,
    to,
    text: { en: `${where.en}: ${before.en} → ${after.en}`, zh: `${where.zh}：${before.zh} → ${after.zh}` },
  };
};

const NOTHING: Text = { en: 'nothing', zh: '无' };
const LEVEL_TEXTS: Readonly<Record<Level, Text>> = {
  I: { en: 'level I', zh: 'Ⅰ级' },
  II: { en: 'level II', zh: 'Ⅱ级' },
  III: { en: 'level III', zh: 'Ⅲ级' },
  IV: { en: 'level IV', zh: 'Ⅳ级' },
};

function shown(path: Path, value: Json): Text {
  if (value === null || (isList(value) && value.length === 0)) return NOTHING;
  if (typeof value === 'number' && path.at(-1)?.endsWith('Ms') === true) return describeDuration(value);
  if (path[0] === 'severities' && LEVELS.includes(value as Level)) return LEVEL_TEXTS[value as Level];
  if (isCondition(value)) return describeCondition(value as unknown as Condition);
  if (isList(value)) {
    const items = value.map((item) => shown([], item));
    return { en: items.map(({ en }) => en).join(', '), zh: items.map(({ zh }) => zh).join('、') };
  }
  if (isMembers(value)) {
    const members = Object.entries(value).map(([key, member]) => ({
      name: label([key]),
      said: shown([...path, key], member),
    }));
    return {
      en: members.map(({ name, said }) => `${name.en} ${said.en}`).join('; '),
      zh: members.map(({ name, said }) => `${name.zh}${said.zh}`).join('；'),
    };
  }
  return { en: String(value), zh: String(value) };
}

/** Parts of a document in words. A part that is a name of the plan's own stays as it is. */
const WORDS: Readonly<Record<string, Text>> = {
  id: { en: 'id', zh: '编号' },
  title: { en: 'title', zh: '标题' },
  basis: { en: 'file of sources', zh: '依据文件' },
  covers: { en: 'covers', zh: '适用' },
  hazard: { en: 'hazard', zh: '灾种' },
  channels: { en: 'channels', zh: '监测通道' },
  bulletins: { en: 'bulletins', zh: '通报类型' },
  severities: { en: 'severity', zh: '事件级别' },
  detect: { en: 'detect', zh: '发现' },
  sequence: { en: 'sequence', zh: '序列' },
  classify: { en: 'classify', zh: '研判' },
  by: { en: 'by', zh: '方式' },
  severity: { en: 'severity', zh: '级别' },
  when: { en: 'when', zh: '条件' },
  bulletin: { en: 'bulletin', zh: '通报' },
  radius: { en: 'radius', zh: '半径' },
  capability: { en: 'capability', zh: '能力' },
  recognisers: { en: 'recognisers', zh: '识别器' },
  minConfidence: { en: 'confidence that counts as sure', zh: '置信度下限' },
  ifUnsure: { en: 'if unsure', zh: '存疑时' },
  ask: { en: 'ask', zh: '询问' },
  types: { en: 'type', zh: '类型' },
  scale: { en: 'scale', zh: '定级规则' },
  dispatch: { en: 'dispatch', zh: '处置' },
  steps: { en: 'steps', zh: '步骤' },
  evaluate: { en: 'evaluate', zh: '评估' },
  everyMs: { en: 'review every', zh: '复核周期' },
  staleAfterMs: { en: 'data stale after', zh: '数据过期' },
  resolvedWhen: { en: 'resolved when', zh: '结束条件' },
  resolvedWhenBySeverity: { en: 'resolved when, at severity', zh: '分级结束条件' },
  escalateWhen: { en: 'escalates when', zh: '升级条件' },
  measures: { en: 'measure', zh: '指标' },
  percentile: { en: 'percentile', zh: '百分位' },
  goalMs: { en: 'goal', zh: '目标' },
  refine: { en: 'refine', zh: '改进' },
  mayTune: { en: 'may tune', zh: '可调参数' },
  low: { en: 'at least', zh: '下限' },
  high: { en: 'at most', zh: '上限' },
  afterIncidents: { en: 'after this many incidents', zh: '所需事件数' },
  approvedBy: { en: 'approved by', zh: '审批' },
  withinMs: { en: 'within', zh: '时限' },
  forMs: { en: 'for', zh: '持续' },
  otherwise: { en: 'otherwise', zh: '否则' },
  onSensors: { en: 'sensors', zh: '传感器数' },
  threshold: { en: 'threshold', zh: '阈值' },
  magnitude: { en: 'magnitude', zh: '震级' },
  withinKm: { en: 'within km', zh: '距离（公里）' },
  atLeastMmi: { en: 'intensity, MMI', zh: '烈度' },
};

/** `detect.of.1.magnitude` is "detect, magnitude": positions inside a condition are nobody's words. */
function label(path: Path): Text {
  const parts = path.filter(
    (part, index) => part !== 'of' && part !== 'when' && !(/^\d+$/.test(part) && path[index - 1] === 'of'),
  );
  const named = parts.map((part) => {
    if (/^\d+$/.test(part)) return { en: String(Number(part) + 1), zh: String(Number(part) + 1) };
    return (Object.hasOwn(WORDS, part) ? WORDS[part] : undefined) ?? { en: part, zh: part };
  });
  return { en: named.map(({ en }) => en).join(', '), zh: named.map(({ zh }) => zh).join('，') };
}

/** Equal as JSON, whatever the order of members. */
function same(a: Json, b: Json): boolean {
  if (isMembers(a) && isMembers(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && same(a[key]!, b[key]!))
    );
  }
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, index) => same(item, b[index]!));
  return Object.is(a, b);
}
