import { TocsinError } from '../domain/errors.ts';
import { checkPlan } from '../domain/plan/check.ts';
import type { Decision, EvaluationStore, PlanStore, PlanVersion, ProposalStore } from '../domain/ports.ts';
import { propose } from '../domain/refine/propose.ts';
