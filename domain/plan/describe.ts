import type { DurationMs, Text } from '../units.ts';
import type { Condition, DetectorCondition, ReadingsCondition, Step, TogetherCondition } from './document.ts';

const UNITS: readonly [DurationMs, string, string][] = [
  [86_400_000, 'day', '天'],
  [3_600_000, 'hour', '小时'],
  [60_000, 'minute', '分钟'],
  [1_000, 'second', '秒'],
];

/** `90000` is "90 seconds", `7200000` "2 hours": the largest unit that divides it. */
export function describeDuration(ms: DurationMs): Text {
  const exact = UNITS.filter(([unit]) => ms % unit === 0 && ms >= unit);
  const [unit, en, zh] = exact[0] ?? [1_000, 'second', '秒'];
  const count = ms / unit;
  return { en: `${count} ${en}${count === 1 ? '' : 's'}`, zh: `${count}${zh}` };
}

/** A condition in a planner's words. */
export function describeCondition(condition: Condition): Text {
  switch (condition.when) {
    case 'always':
      return { en: 'in any other case', zh: '其他情况' };
    case 'atLeast':
    case 'below': {
      const { channel, threshold, unit, when } = condition;
      return heldOnSensors(condition, {
        en: `${channel} ${when === 'atLeast' ? 'at least' : 'below'} ${threshold} ${unit}`,
        zh: `${channel}${when === 'atLeast' ? '不低于' : '低于'}${threshold} ${unit}`,
      });
    }
    case 'detects': {
      const how = howDetected(condition);
      return heldOnSensors(condition, {
        en: `${how} alarms on ${condition.channel}`,
        zh: `${condition.channel}经${how}报警`,
      });
    }
    case 'detectsTogether': {
      const how = howDetected(condition);
      const held = describeDuration(condition.forMs);
      return {
        en: `${how} alarms on ${condition.channels.join(', ')} together${condition.forMs > 0 ? ` for ${held.en}` : ''}`,
        zh: `${condition.channels.join('、')}合并经${how}报警${condition.forMs > 0 ? `持续${held.zh}` : ''}`,
      };
    }
    case 'networkTriggers': {
      const { onStations, ...rest } = condition.parameters;
      const given = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
      const channels = condition.channels;
      return {
        en: `P waves at ${onStations} or more stations agree on an earthquake (${channels.join(', ')}; ${given.join(', ')})`,
        zh: `不少于${onStations}个台站的P波一致指向一次地震（${channels.join('、')}；${given.join('，')}）`,
      };
    }
    case 'expectedAtLeast':
    case 'expectedBelow': {
      const { channel, threshold, unit, withinMs, probability, forecaster, when } = condition;
      const [by, byZh] = forecaster === undefined ? ['', ''] : [` by ${forecaster}`, `经${forecaster}`];
      const within = describeDuration(withinMs);
      const percent = Math.round(probability * 100);
      return heldOnSensors(condition, {
        en: `${channel} expected${by} ${when === 'expectedAtLeast' ? 'at least' : 'below'} ${threshold} ${unit} within ${within.en} (${percent} % likely)`,
        zh: `${channel}${byZh}预计${within.zh}内${when === 'expectedAtLeast' ? '不低于' : '低于'}${threshold} ${unit}（可能性${percent}%）`,
      });
    }
    case 'magnitudeNear':
      return {
        en: `magnitude at least ${condition.magnitude.toFixed(1)} within ${condition.withinKm} km of a place of care`,
        zh: `照护地点${condition.withinKm}公里内震级不低于${condition.magnitude.toFixed(1)}`,
      };
    case 'intensity':
      return {
        en: `expected intensity at least MMI ${condition.atLeastMmi} at a place of care`,
        zh: `照护地点预计烈度不低于${condition.atLeastMmi}度`,
      };
    case 'quietFor': {
      const quiet = describeDuration(condition.forMs);
      return {
        en: `no further ${condition.bulletin} for ${quiet.en}`,
        zh: `${quiet.zh}内无新的${condition.bulletin}`,
      };
    }
    case 'all':
      return join(condition.of, ' and ', '且');
    case 'any':
      return join(condition.of, ' or ', '或');
    case 'not': {
      const inner = describeCondition(condition.of[0]);
      return { en: `not (${inner.en})`, zh: `非（${inner.zh}）` };
    }
    default:
      return condition satisfies never;
  }
}

/** `cusum (threshold 5)`. */
function howDetected({ detector, parameters }: DetectorCondition | TogetherCondition): string {
  const given = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  return given.length === 0 ? detector : `${detector} (${given.join(', ')})`;
}

/** What a condition on readings says of one sensor, with how long and on how many. */
function heldOnSensors({ forMs, onSensors }: ReadingsCondition, said: Text): Text {
  const held = describeDuration(forMs);
  const sensors =
    onSensors === 'all'
      ? { en: 'all sensors', zh: '所有传感器' }
      : { en: `${onSensors} sensor${onSensors === 1 ? '' : 's'}`, zh: `${onSensors}个传感器` };
  return {
    en: `${said.en}${forMs > 0 ? ` for ${held.en}` : ''} on ${sensors.en}`,
    zh: `${sensors.zh}的${said.zh}${forMs > 0 ? `持续${held.zh}` : ''}`,
  };
}

/** A compound inside a compound is bracketed, so that it cannot be read in two ways. */
const join = (of: readonly Condition[], en: string, zh: string): Text => {
  const parts = of.map((part) => {
    const text = describeCondition(part);
    const bracketed = part.when === 'all' || part.when === 'any';
    return bracketed ? { en: `(${text.en})`, zh: `（${text.zh}）` } : text;
  });
  return { en: parts.map((part) => part.en).join(en), zh: parts.map((part) => part.zh).join(zh) };
};

/** A step in a planner's words. */
export function describeStep(step: Step): Text {
  switch (step.do) {
    case 'notify': {
      const within =
        step.acknowledgedWithinMs === undefined ? null : describeDuration(step.acknowledgedWithinMs);
      return {
        en: `notify ${step.to}${within === null ? '' : `, acknowledged within ${within.en}`}`,
        zh: `通知${step.to}${within === null ? '' : `，${within.zh}内确认`}`,
      };
    }
    case 'send': {
      const within = describeDuration(step.withinMs);
      return {
        en: `send ${step.count} ${step.capability}, on scene within ${within.en}`,
        zh: `派出${step.count}支${step.capability}，${within.zh}内到场`,
      };
    }
    case 'evacuate':
      return {
        en: `evacuate ${step.radiusM} m around, when ${step.approval.from} approves`,
        zh: `经${step.approval.from}批准后疏散周围${step.radiusM}米`,
      };
    case 'actuate':
      return {
        en: `${step.action.replace('-', ' ')} ${step.device}, when ${step.approval.from} approves`,
        zh: `经${step.approval.from}批准后执行${step.action}（${step.device}）`,
      };
    case 'together':
      return { en: 'together: ' + list(step.steps, 'en', '; '), zh: '同时：' + list(step.steps, 'zh', '；') };
    case 'forEachPlace':
      return {
        en: `for each place with at least MMI ${step.atLeastMmi}, at most ${step.atMost}: ${list(step.steps, 'en', '; ')}`,
        zh: `对烈度不低于${step.atLeastMmi}度的每个地点（至多${step.atMost}个）：${list(step.steps, 'zh', '；')}`,
      };
    case 'procedure':
      return { en: `run the procedure ${step.name}`, zh: `执行流程${step.name}` };
    default:
      return step satisfies never;
  }
}

const list = (steps: readonly Step[], language: keyof Text, between: string): string =>
  steps.map((step) => describeStep(step)[language]).join(between);
