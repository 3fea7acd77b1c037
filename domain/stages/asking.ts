import type { Answer, Question, Situation } from '../situation.ts';
import type { Stage } from '../units.ts';
import type { World } from '../world.ts';

/**
 * Puts a question to a human and waits until it is answered or its deadline passes, whichever is first.
 * Undefined: nobody answered in time, and the question is closed for good.
 */
export async function askInTime(
  situation: Situation,
  question: Question,
  stage: Stage,
  world: World,
): Promise<Answer | undefined> {
  // A continued run may find its own question already there: it is the same question, with the same deadline.
  const asked = (situation.questions[question.id] ??= question);
  if (asked === question) {
    world.record({
      stage,
      kind: 'asked',
      data: {
        question: question.id,
        about: question.about,
        role: question.role,
        text: question.text.en,
        choices: question.choices,
        withinMs: question.deadlineMs - question.askedAtMs,
        otherwise: question.otherwise,
      },
    });
    await world.ask(question);
  }
  await world.until(() => asked.answer !== undefined || asked.expiredAtMs !== undefined, asked.deadlineMs);
  if (asked.answer !== undefined) return asked.answer;
  asked.expiredAtMs ??= world.now();
  world.record({ stage, kind: 'unanswered', data: { question: asked.id, otherwise: asked.otherwise } });
  return undefined;
}

/** Closes every question still open: what they asked about is over. */
export function closeQuestions(situation: Situation, world: World): void {
  for (const question of Object.values(situation.questions)) {
    if (question.answer === undefined) question.expiredAtMs ??= world.now();
  }
}
