import { TocsinError } from '../errors.ts';
import type { Effect } from '../evidence.ts';
import { choose } from '../plan/choose.ts';
import type { ClassifySpec, PlanDocument } from '../plan/document.ts';
import { strongestBulletin } from '../receive.ts';
import type { Assessment, Situation, Vote, VoteResult } from '../situation.ts';
import { levelRank } from '../units.ts';
import type { World } from '../world.ts';
import { askInTime } from './asking.ts';
import { holdsNow } from './conditions.ts';

/** What happened, how bad it is, how sure we are. Doubt goes to a human with a deadline. */
export async function classify(plan: PlanDocument, situation: Situation, world: World): Promise<void> {
  situation.judgedEvidence = situation.evidenceCount;
  const recognised = await recognise(plan, situation, world);
  assess(plan, situation, recognised, world);
  situation.phase = 'responding';
}

/** The type half of an assessment; kept, so that later evidence need only re-read the scale. */
export interface Recognised {
  readonly type: string;
  readonly confidence: number;
  readonly decidedBy: Assessment['decidedBy'];
  readonly doubt: string;
  readonly votes: Assessment['votes'];
  /** Severity declared for silence; undefined: the type decides. */
  readonly otherwise?: string;
}

export async function recognise(plan: PlanDocument, situation: Situation, world: World): Promise<Recognised> {
  const spec = plan.classify;
  if (spec.by.kind === 'rule') {
    return { type: spec.by.type, confidence: 1, decidedBy: 'rule', doubt: '', votes: [] };
  }
  const vote = await voteOrDoubt(spec, situation, world);
  world.record({
    stage: 'classify',
    kind: 'voted',
    data: {
      label: vote.label ?? null,
      confidence: vote.confidence,
      doubt: vote.doubt,
      votes: vote.votes.map(recorded),
      ...(vote.shadows === undefined ? {} : { shadows: vote.shadows.map(recorded) }),
      ...(vote.input === undefined ? {} : { input: { ...vote.input } }),
    },
  });
  const { label, doubt } = vote;
  if (label !== undefined && doubt === '' && vote.confidence >= spec.minConfidence) {
    return { type: label, confidence: vote.confidence, decidedBy: 'recognisers', doubt, votes: vote.votes };
  }
  return askForType(plan, situation, vote, world);
}

/** A vote as a fact keeps it. */
function recorded(one: Vote): Pick<Vote, keyof Vote> {
  const { recogniser, hash, label, probabilities, outOfRange, contributions, sentence, nearest, change } =
    one;
  return {
    recogniser,
    hash,
    label,
    probabilities,
    outOfRange,
    contributions,
    sentence,
    ...(nearest === undefined ? {} : { nearest }),
    ...(change === undefined ? {} : { change }),
  };
}

async function voteOrDoubt(spec: ClassifySpec, situation: Situation, world: World): Promise<VoteResult> {
  const evidence = strongestBulletin(situation.evidence);
  if (spec.by.kind !== 'vote' || evidence === undefined) {
    return { votes: [], confidence: 0, doubt: 'There is no bulletin to recognise.' };
  }
  try {
    return await world.assess({
      recognisers: spec.by.recognisers,
      evidence,
      minConfidence: spec.minConfidence,
    });
  } catch (failure) {
    const code = failure instanceof TocsinError ? failure.code : 'RECOGNITION_FAILED';
    return { votes: [], confidence: 0, doubt: `The recognisers could not vote (${code}).` };
  }
}

async function askForType(
  plan: PlanDocument,
  situation: Situation,
  vote: VoteResult,
  world: World,
): Promise<Recognised> {
  const { ifUnsure, types } = plan.classify;
  const asked = Object.values(situation.questions).filter((question) => question.about === 'type').length;
  const doubt =
    vote.doubt !== ''
      ? vote.doubt
      : `Confidence ${vote.confidence.toFixed(2)} is below ${plan.classify.minConfidence}.`;
  const answer = await askInTime(
    situation,
    {
      id: `classify/${asked + 1}`,
      about: 'type',
      role: ifUnsure.ask,
      text: {
        en: `What is happening near ${situation.place.name.en}? ${doubt}`,
        zh: `${situation.place.name.zh}附近发生了什么？识别结果存疑，请值班员判定。`,
      },
      choices: Object.keys(types),
      askedAtMs: world.now(),
      deadlineMs: world.now() + ifUnsure.withinMs,
      otherwise: ifUnsure.otherwise,
    },
    'classify',
    world,
  );
  if (answer !== undefined) {
    return { type: answer.choice, confidence: 1, decidedBy: 'human', doubt, votes: vote.votes };
  }
  return {
    // Nobody answered: act on the hazard the plan covers, at the severity the plan declared for silence.
    type: situation.hazard,
    confidence: vote.confidence,
    decidedBy: 'otherwise',
    doubt,
    votes: vote.votes,
    otherwise: ifUnsure.otherwise,
  };
}

/** Reads the scale for a recognised type and writes the assessment. Returns true when the level became more serious. */
export function assess(
  plan: PlanDocument,
  situation: Situation,
  recognised: Recognised,
  world: World,
): boolean {
  const choice = choose(plan, recognised.type, recognised.otherwise, (condition, path) =>
    holdsNow(condition, path, situation, world.now()),
  );
  const before = situation.assessment;
  const assessment: Assessment = {
    atMs: world.now(),
    type: recognised.type,
    confidence: recognised.confidence,
    decidedBy: recognised.decidedBy,
    doubt: recognised.doubt,
    votes: recognised.votes,
    severity: choice.severity,
    level: choice.level,
    path: choice.path,
    affected: affectedPlaces(situation),
  };
  const worse = before === null || levelRank(choice.level) < levelRank(before.level);
  const changed =
    before === null || before.type !== assessment.type || before.severity !== assessment.severity;
  // An incident never becomes milder by itself: standing down is `resolved`, or a person's command.
  if (before !== null && levelRank(choice.level) > levelRank(before.level)) return false;
  if (!changed) return false;
  situation.assessment = assessment;
  if (situation.highestLevel === null || levelRank(choice.level) < levelRank(situation.highestLevel)) {
    situation.highestLevel = choice.level;
  }
  world.record({
    stage: 'classify',
    kind: 'assessed',
    data: {
      type: assessment.type,
      confidence: assessment.confidence,
      severity: assessment.severity,
      level: assessment.level,
      decidedBy: assessment.decidedBy,
      doubt: assessment.doubt,
      path: assessment.path.map((line) => ({ question: line.question, answer: line.answer })),
      affected: assessment.affected.map((effect) => ({
        place: effect.placeId,
        distanceKm: effect.distanceKm,
        expectedMmi: effect.expectedMmi,
      })),
    },
  });
  return worse && before !== null;
}

/** The strongest expected effect at each place over all evidence, strongest first. */
export function affectedPlaces(situation: Situation): Effect[] {
  const strongest = new Map<string, Effect>();
  for (const item of situation.evidence) {
    if (item.kind !== 'bulletin') continue;
    for (const effect of item.effects) {
      const known = strongest.get(effect.placeId);
      if (known === undefined || known.expectedMmi < effect.expectedMmi)
        strongest.set(effect.placeId, effect);
    }
  }
  return [...strongest.values()].sort(
    (a, b) => b.expectedMmi - a.expectedMmi || (a.placeId < b.placeId ? -1 : 1),
  );
}
