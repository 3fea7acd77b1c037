/** Every workflow by name: `export *` has lost the tail of such files before. */
export { desk } from './desk.ts';
export { refinePlan } from './refine-plan.ts';
export { respond } from './respond.ts';
export { retrainRecogniser } from './retrain-recogniser.ts';
