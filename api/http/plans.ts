import { z } from 'zod';
import { canonicalJson } from '../../domain/canonical.ts';
import { TocsinError } from '../../domain/errors.ts';
import type { PlanVersion } from '../../domain/plan/document.ts';
import { sha256Hex } from '../hash.ts';
import type { Dependencies } from './dependencies.ts';
import { asPlanDocument, PlanDocumentSchema } from './plan-schema.ts';
import type { Route } from './route.ts';
import { defineRoute, MAY } from './route.ts';
import {
  ActivateBody,
  ActivationSchema,
  EvaluationSchema,
  FindingSchema,
  hashParameter,
  listOf,
  PlanSummarySchema,
  VersionSummarySchema,
} from './schemas.ts';

const PlanParams = z.object({ planId: z.string().min(1).max(100) });
const VersionParams = PlanParams.extend({ hash: hashParameter });
const VersionSchema = VersionSummarySchema.extend({ document: PlanDocumentSchema }).meta({
  id: 'PlanVersion',
});
const ActiveSchema = VersionSchema.extend({ activation: ActivationSchema }).meta({ id: 'ActivePlan' });
const PublishedSchema = VersionSummarySchema.extend({ findings: z.array(FindingSchema) }).meta({
  id: 'PublishedPlan',
});

export function planRoutes({ stores, checkPlan, now, log }: Dependencies): Route[] {
  const { plans } = stores;

  async function versionOf(planId: string, hash: string): Promise<PlanVersion> {
    const version = await plans.version(planId, hash);
    if (version === null) {
      throw new TocsinError('PLAN_UNKNOWN', `There is no version ${hash.slice(0, 12)} of "${planId}".`, {
        details: { planId, hash },
      });
    }
    return version;
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/plans',
      tag: 'plans',
      summary: 'Plans, with the version in force',
      access: MAY.look,
      answers: { 200: listOf(PlanSummarySchema) },
      async handle() {
        const ids = (await plans.plans()).sort();
        const items = await Promise.all(
          ids.map(async (planId) => {
            const [active, versions] = await Promise.all([plans.active(planId), plans.versions(planId)]);
            const shown = versions.find((version) => version.hash === active?.hash) ?? versions.at(-1);
            return {
              planId,
              title: shown?.document.title ?? null,
              hazard: shown?.document.covers.hazard ?? null,
              active,
              versions: versions.length,
            };
          }),
        );
        return { body: { items } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/plans/:planId',
      tag: 'plans',
      summary: 'The version of a plan that is in force',
      access: MAY.look,
      params: PlanParams,
      answers: { 200: ActiveSchema },
      refusals: ['PLAN_UNKNOWN'],
      async handle({ params }) {
        const activation = await plans.active(params.planId);
        if (activation === null) {
          throw new TocsinError('PLAN_UNKNOWN', `No version of "${params.planId}" is in force.`, {
            details: { planId: params.planId },
          });
        }
        return { body: { ...(await versionOf(params.planId, activation.hash)), activation } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/plans/:planId/versions',
      tag: 'plans',
      summary: 'All published versions of a plan',
      access: MAY.look,
      params: PlanParams,
      answers: { 200: listOf(VersionSummarySchema) },
      refusals: ['PLAN_UNKNOWN'],
      async handle({ params }) {
        const versions = await plans.versions(params.planId);
        if (versions.length === 0) {
          throw new TocsinError('PLAN_UNKNOWN', `There is no plan "${params.planId}".`, {
            details: { planId: params.planId },
          });
        }
        return { body: { items: versions.map(summaryOfVersion) } };
      },
    }),

    defineRoute({
      method: 'get',
      path: '/v1/plans/:planId/versions/:hash',
      tag: 'plans',
      summary: 'One version of a plan, with its document',
      access: MAY.look,
      params: VersionParams,
      answers: { 200: VersionSchema },
      refusals: ['PLAN_UNKNOWN'],
      handle: async ({ params }) => ({ body: await versionOf(params.planId, params.hash) }),
    }),

    defineRoute({
      method: 'get',
      path: '/v1/plans/:planId/activations',
      tag: 'plans',
      summary: 'Which version was in force from when, by whom and why',
      access: MAY.look,
      params: PlanParams,
      answers: { 200: listOf(ActivationSchema) },
      handle: async ({ params }) => ({ body: { items: await plans.activations(params.planId) } }),
    }),

    defineRoute({
      method: 'get',
      path: '/v1/plans/:planId/evaluations',
      tag: 'plans',
      summary: 'How the closed incidents of a plan went',
      access: MAY.look,
      params: PlanParams,
      answers: { 200: listOf(EvaluationSchema) },
      async handle({ params, caller }) {
        const evaluations = await stores.evaluations.of(params.planId);
        const admin = caller.roles.includes('admin');
        return { body: { items: evaluations.filter((one) => admin || one.tenant === caller.tenant) } };
      },
    }),

    defineRoute({
      method: 'post',
      path: '/v1/plans/check',
      tag: 'plans',
      summary: 'Checks a plan document and publishes nothing',
      access: MAY.writePlans,
      body: PlanDocumentSchema,
      answers: { 200: z.object({ hash: hashParameter, findings: z.array(FindingSchema) }) },
      async handle({ body }) {
        const document = asPlanDocument(body);
        return { body: { hash: hashOfDocument(document), findings: [...(await checkPlan(document))] } };
      },
    }),

    defineRoute({
      method: 'post',
      path: '/v1/plans',
      tag: 'plans',
      summary: 'Publishes a version; the same content again is the same version',
      access: MAY.writePlans,
      body: PlanDocumentSchema,
      answers: { 200: PublishedSchema, 201: PublishedSchema },
      refusals: ['PLAN_INVALID'],
      async handle({ body, caller }) {
        const document = asPlanDocument(body);
        const findings = [...(await checkPlan(document))];
        const mandatory = findings.filter((finding) => finding.severity === 'mandatory');
        if (mandatory.length > 0) {
          throw new TocsinError(
            'PLAN_INVALID',
            `"${document.id}" has ${mandatory.length} mandatory finding(s); the first: ${mandatory[0]?.message ?? ''}`,
            { details: { findings } },
          );
        }
        const version: PlanVersion = {
          planId: document.id,
          hash: hashOfDocument(document),
          document,
          author: caller.id,
          publishedAtMs: now(),
          parent: (await plans.active(document.id))?.hash ?? null,
          proposal: null,
        };
        const inserted = await plans.publish(version);
        const stored = inserted === 'inserted' ? version : await versionOf(version.planId, version.hash);
        log.info({ planId: version.planId, hash: version.hash, by: caller.id, inserted }, 'plan published');
        return {
          status: inserted === 'inserted' ? 201 : 200,
          body: { ...summaryOfVersion(stored), findings },
        };
      },
    }),

    defineRoute({
      method: 'post',
      path: '/v1/plans/:planId/activations',
      tag: 'plans',
      summary: 'Puts a published version in force; running incidents keep their own',
      access: MAY.writePlans,
      params: PlanParams,
      body: ActivateBody,
      answers: { 200: ActivationSchema, 201: ActivationSchema },
      refusals: ['PLAN_UNKNOWN'],
      async handle({ params, body, caller }) {
        await versionOf(params.planId, body.hash);
        const active = await plans.active(params.planId);
        // A repeat whose first answer was lost must not append a second activation.
        if (active?.hash === body.hash) return { status: 200, body: active };
        const activation = await plans.activate({
          planId: params.planId,
          hash: body.hash,
          by: caller.id,
          reason: body.reason,
          atMs: now(),
        });
        log.info(
          { planId: params.planId, hash: body.hash, n: activation.n, by: caller.id },
          'plan activated',
        );
        return { status: 201, body: activation };
      },
    }),
  ];
}

const hashOfDocument = (document: unknown): string => sha256Hex(canonicalJson(document));

function summaryOfVersion(version: PlanVersion): z.input<typeof VersionSummarySchema> {
  const { planId, hash, author, publishedAtMs, parent, proposal } = version;
  return { planId, hash, author, publishedAtMs, parent, proposal };
}
