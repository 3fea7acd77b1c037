import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { fillHualien, GAS_QUESTION, gasLeak, mainShock, PROPOSAL, VERSION } from '../api/http/hualien.ts';
import type { TestApi } from '../api/http/world.ts';
import { keyOf, startTestApi } from '../api/http/world.ts';
import { complaintsOf, launchBrowser } from './browser.ts';

const CONSOLE = join(import.meta.dirname, '../../console');
const AXE = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'));

let browser: Browser;
let api: TestApi;
let ids: Awaited<ReturnType<typeof fillHualien>>;
const opened: Page[] = [];

before(async () => {
  browser = await launchBrowser();
});
after(() => browser.close());
beforeEach(async () => {
  api = await startTestApi({
    consoleDir: CONSOLE,
    webUiBase: 'http://127.0.0.1:8233',
    heartbeatMs: 500,
    mode: 'exercise',
  });
  ids = await fillHualien(api.stores, Date.now());
  const { planId, planHash } = gasLeak(Date.now());
  const severities = { minor: 'III', major: 'II', catastrophic: 'I' } as const;
  const document = { ...VERSION.document, id: planId, severities };
  await api.stores.plans.publish({ ...VERSION, planId, hash: planHash, document });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((page) => page.context().close()));
  await api.stop();
});

async function open(
  address = '/',
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({
    locale: 'en-GB',
    reducedMotion: 'reduce',
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(8_000);
  opened.push(page);
  const complaints = complaintsOf(page);
  await page.goto(`${api.url}${address}`);
  return { page, complaints };
}

const incidentAddress = (id: string): string => `/#/incidents/${encodeURIComponent(id)}`;
const asOfficer = (id: string): string =>
  `/#key=${keyOf('duty-officer')}&/incidents/${encodeURIComponent(id)}`;

async function putIncidentAt(name: string, latitudeDeg: number, longitudeDeg: number): Promise<void> {
  const view = gasLeak(Date.now());
  const place = { ...view.place, id: name, name: { en: name, zh: name }, latitudeDeg, longitudeDeg };
  const incidentId = `incident/demo/gas-leak/${name}/20180206T155810Z`;
  await api.stores.incidents.put({
    ...view,
    incidentId,
    place,
    level: 'III',
    situation: { ...view.situation, incidentId, place, questions: {} },
  });
}

/** Where the ring around the marker that the keyboard is on is not seen; what is focused where it is no marker. */
const hiddenPartsOfFocus = (page: Page): Promise<string[]> =>
  page.locator(':focus').evaluate((focused) => {
    const ring = focused.querySelector('circle');
    if (!ring || !focused.matches(':focus-visible')) return [`no marker: ${focused.outerHTML}`];
    const { ownerDocument } = focused;
    const { left, top, width } = ring.getBoundingClientRect();
    const strokeWidth = ownerDocument.defaultView?.getComputedStyle(ring).strokeWidth ?? '0';
    const radius = width / 2 + Number.parseFloat(strokeWidth) / 2;
    return [0, 45, 90, 135, 180, 225, 270, 315].flatMap((degrees) => {
      const angle = (degrees * Math.PI) / 180;
      const x = left + width / 2 + radius * Math.cos(angle);
      const y = top + width / 2 + radius * Math.sin(angle);
      const seen = ownerDocument.elementFromPoint(x, y);
      return seen?.closest('svg.map') ? [] : [`${degrees} degrees: ${seen?.outerHTML.slice(0, 80)}`];
    });
  });

/** Serious and critical findings of axe-core, in words. */
async function axeFindings(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE });
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(options: object): Promise<{
          violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
        }>;
      };
    };
    const { violations } = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
  });
}

/** axe-core is put in by the test: the page's own policy would refuse it. */
const FOR_AXE: BrowserContextOptions = { bypassCSP: true };

describe('the list of incidents', () => {
  it('keeps the table of incidents within its card, however wide the window', async () => {
    const { page } = await open();
    for (const width of [1440, 1280, 1024, 760, 390]) {
      await page.setViewportSize({ width, height: 800 });
      const table = (await page.locator('.incident-table').boundingBox())!;
      const card = (await page.locator('.incidents').boundingBox())!;
      assert.ok(table.x + table.width <= card.x + card.width, `${width}: ${JSON.stringify([table, card])}`);
    }
  });

  it('shows what is open, most serious first, with level, place, state and what waits', async () => {
    const { page, complaints } = await open();
    const rows = page.locator('.incident-table tbody tr');
    await rows.first().waitFor();
    assert.equal(await rows.count(), 3);
    assert.match(
      await rows.nth(0).innerText(),
      /extremely serious[\s\S]*Earthquake[\s\S]*Hualien[\s\S]*responding/,
    );
    assert.match(await rows.nth(1).innerText(), /Gas leak[\s\S]*Riverside Tower[\s\S]*Waits/);
    assert.match(
      await page.locator('.waiting').innerText(),
      /Close the main gas valve[\s\S]*3:00 left[\s\S]*feed time/,
    );
    assert.deepEqual(complaints, []);
  });

  it('says the level by shape and numeral and in words, not by colour alone', async () => {
    const { page } = await open();
    await page.locator('.incident-table').waitFor();
    const marks = await page
      .locator('.incident-table .mark')
      .evaluateAll((found) =>
        found.map((mark) => [mark.querySelector('path')?.getAttribute('d'), mark.textContent]),
      );
    assert.equal(new Set(marks.map(([shape]) => shape)).size, 3);
    assert.deepEqual(
      marks.map(([, numeral]) => numeral),
      ['I', 'II', 'III'],
    );
  });

  it('puts every incident on the map as a link with a name', async () => {
    const { page } = await open();
    const marker = page.getByRole('link', { name: 'Level I: Earthquake, Hualien, responding' });
    await marker.waitFor();
    assert.equal(await page.locator('.map a').count(), 3);
    assert.ok(((await page.locator('.land').getAttribute('d')) ?? '').length > 10_000);
    await marker.click();
    await page.getByRole('heading', { name: 'Earthquake, Hualien' }).waitFor();
  });

  it('names on the map what does not cover another name, and what the focus or the pointer is on', async () => {
    const { page } = await open();
    await page.locator('.incident-table').waitFor();
    // A crowd within some 500 km of Riverside Tower.
    const { place } = gasLeak(Date.now());
    const districts = [
      'Jinshan',
      'Fengxian',
      'Songjiang',
      'Qingpu',
      'Jiading',
      'Kunshan',
      'Taicang',
      'Pudong',
    ];
    for (const [n, name] of districts.entries()) {
      await putIncidentAt(
        name,
        place.latitudeDeg + Math.sin(n * 2.4) * 5,
        place.longitudeDeg + Math.cos(n * 2.4) * 5,
      );
    }
    await page
      .locator('.map a')
      .nth(2 + districts.length)
      .waitFor();
    const shown = async (): Promise<string[]> => {
      const names = await page.locator('.marker-name:not([visibility="hidden"])').evaluateAll((found) =>
        found.map((name) => {
          const { left, right, top, bottom } = name.getBoundingClientRect();
          return { name: name.textContent ?? '', left, right, top, bottom };
        }),
      );
      for (const [i, a] of names.entries())
        for (const b of names.slice(i + 1))
          if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
            assert.fail(`${a.name} covers ${b.name}`);
      return names.map(({ name }) => name);
    };
    const atFirst = await shown();
    assert.ok(atFirst.includes('Hualien'), atFirst.join());
    // A point of each marker that no other lies over; one of them goes without its name.
    const points = await page.locator('.map circle').evaluateAll((circles) =>
      circles.map((circle) => {
        const { left, top, width } = circle.getBoundingClientRect();
        const name = circle.closest('[data-place]')?.getAttribute('data-place') ?? '';
        for (let x = left; x < left + width; x += 2)
          for (let y = top; y < top + width; y += 2)
            if (circle.ownerDocument.elementFromPoint(x, y) === circle) return { name, x, y };
        return null;
      }),
    );
    const hidden = points.find(
      (one) => one !== null && districts.includes(one.name) && !atFirst.includes(one.name),
    );
    if (!hidden) assert.fail(`Every name is shown: ${atFirst.join()}`);

    await page.getByRole('link', { name: `Level III: Gas leak, ${hidden.name}, responding` }).focus();
    assert.equal((await shown()).filter((name) => name === hidden.name).length, 1);
    await page.keyboard.press('Escape');
    assert.deepEqual(await shown(), atFirst);
    await page.locator('svg.map').focus();
    await page.mouse.move(hidden.x, hidden.y);
    assert.equal((await shown()).filter((name) => name === hidden.name).length, 1);
    await page.keyboard.press('Escape');
    assert.deepEqual(await shown(), atFirst);
  });

  it('shows the closed ones when asked', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await page.locator('.incident-table').getByText('Butte').waitFor();
    assert.equal(await page.locator('.incident-table tbody tr').count(), 4);
  });

  it('says that this is an exercise, and the time of its feed', async () => {
    const { page } = await open();
    const banner = page.locator('.banner.exercise');
    await banner.getByText('Feed time 2018-02-06 16:16:43 UTC').waitFor();
    assert.match(await banner.innerText(), /^EXERCISE No live channel/);
  });

  it('follows changes without a reload, and tells those who do not see the screen', async () => {
    const { page } = await open();
    await page.locator('.pulse.alive').waitFor();
    await page.waitForTimeout(200);
    const view = gasLeak(Date.now());
    await api.stores.incidents.put({
      ...view,
      level: 'I',
      highestLevel: 'I',
      updatedAtMs: view.updatedAtMs + 1,
    });
    await page.getByText('Riverside Tower: now level I.').waitFor({ state: 'attached' });
    assert.equal(await page.locator('.incident-table .level-I').count(), 2);
  });

  it('counts down by the wall clock where the incident runs by it', async () => {
    const view = gasLeak(Date.now());
    const question = { ...GAS_QUESTION, askedAtMs: Date.now(), deadlineMs: Date.now() + 100_000 };
    await api.stores.incidents.put({
      ...view,
      situation: {
        ...view.situation,
        clock: 'wall',
        nowMs: Date.now(),
        questions: { [question.id]: question },
      },
    });
    const { page } = await open();
    const left = page.locator('.waiting .countdown');
    await left.waitFor();
    const before = await left.innerText();
    assert.match(before, /^1:3\d left$/);
    await page.locator('.waiting .countdown', { hasNotText: before }).waitFor();
  });
});

describe('one incident', () => {
  it('shows why it is classified so: votes, what weighed, the sentence, the decision path', async () => {
    const { page, complaints } = await open(incidentAddress(ids.mainShock));
    const explanation = page.locator('.explanation');
    await explanation.getByText('Most likely an earthquake (98 %)').waitFor();
    const text = await explanation.innerText();
    assert.match(text, /notice-forest\s+earthquake\s+aaaaaaaa/);
    assert.match(text, /depthKm = 17\.0\s+\+0\.31/);
    assert.match(text, /gapDeg = 21\s+−0\.03/);
    assert.match(text, /at least MMI 7\.5\? yes: 7\.6 at Hualien/);
    assert.match(text, /Outside what it was trained on: magnitude 6\.4/);
    // A page that is drawn again takes the bar away for a moment: what counts is that it comes to stand there.
    const bar = explanation.locator('.vote .track i').first();
    const width = (): Promise<number> => bar.evaluate((drawn) => drawn.getBoundingClientRect().width);
    while ((await width()) <= 20) await page.waitForTimeout(50);
    assert.deepEqual(complaints, []);
  });

  it('shows missions with their times, and whether they came in time', async () => {
    const { page } = await open(incidentAddress(ids.mainShock));
    const row = page.locator('.missions tbody tr').first();
    await row.waitFor();
    assert.match(await row.innerText(), /hualien-rescue-1[\s\S]*on scene[\s\S]*15:02[\s\S]*30:00 in time/);
  });

  it('shows the record by stage, and one stage alone when asked', async () => {
    const { page } = await open(incidentAddress(ids.mainShock));
    const facts = page.locator('.fact');
    await facts.first().waitFor();
    assert.equal(await facts.count(), 9);
    const stages = await page.locator('.stage').allInnerTexts();
    assert.deepEqual(
      stages.map((stage) => stage.split(/\s/)[0]),
      ['Detect', 'Classify', 'Dispatch', 'Evaluate', 'Refine'],
    );
    await page.locator('.stage').nth(0).click();
    assert.equal(await facts.count(), 2);
    assert.match(await facts.first().innerText(), /Evidence joined[\s\S]*magnitude 6\.4/);
  });

  it('links to its workflow in the Temporal web UI', async () => {
    const { page } = await open(incidentAddress(ids.mainShock));
    const link = page.getByRole('link', { name: 'Open in Temporal' });
    assert.match(
      (await link.getAttribute('href')) ?? '',
      /^http:\/\/127\.0\.0\.1:8233\/namespaces\/tocsin\/workflows\/incident%2F/,
    );
  });

  it('says so when there is none', async () => {
    const { page } = await open(incidentAddress('incident/demo/none'));
    await page.getByText('There is no such incident, or you may not see it.').waitFor();
  });
});

describe('a decision', () => {
  it('by a signed-in officer reaches the incident with its reason, and the question is settled', async () => {
    const { page, complaints } = await open(asOfficer(ids.gasLeak));
    await page.getByLabel('Reason (kept in the record)').fill('seen on camera');
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('duty-officer answered “Approve”').waitFor();
    assert.deepEqual(api.responses.answers, [
      {
        questionId: GAS_QUESTION.id,
        choice: 'approve',
        reason: 'seen on camera',
        by: 'duty-officer',
        roles: ['operator', 'duty-officer'],
      },
    ]);
    await page.getByRole('link', { name: 'All incidents' }).click();
    await page.getByText('Nothing waits for a human.').waitFor();
    assert.deepEqual(complaints, []);
  });

  it('is not offered to somebody who may only look', async () => {
    const { page } = await open(incidentAddress(ids.gasLeak));
    await page.getByText('Needs the role duty officer.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Approve' }).isDisabled(), true);
  });

  it('that comes second is refused in the words of the server', async () => {
    const { page } = await open(asOfficer(ids.gasLeak));
    // Somebody else answers while this answer is on its way: the page cannot have heard of it.
    await page.route('**/v1/incidents/**', async (route) => {
      if (route.request().method() === 'POST') {
        await api.responses.answer(ids.gasLeak, {
          questionId: GAS_QUESTION.id,
          choice: 'approve',
          by: 'admin',
          roles: ['admin'],
          reason: '',
        });
      }
      await route.continue();
    });
    await page.getByRole('button', { name: 'Refuse' }).click();
    await page.locator('#main').getByText('"admin" already answered "approve". (ALREADY_ANSWERED)').waitFor();
  });

  it('keeps what is being typed while the incident goes on', async () => {
    const { page } = await open(asOfficer(ids.gasLeak));
    const reason = page.getByLabel('Reason (kept in the record)');
    await reason.fill('half a sen');
    const view = gasLeak(Date.now());
    await api.stores.incidents.put({
      ...view,
      updatedAtMs: view.updatedAtMs + 1,
      situation: { ...view.situation, nowMs: view.situation.nowMs + 60_000, evidenceCount: 4 },
    });
    await page.getByText('2:00 left').waitFor();
    assert.equal(await reason.inputValue(), 'half a sen');
    assert.equal(await page.locator(':focus').getAttribute('id'), `reason-${GAS_QUESTION.id}`);
  });
});

describe('a command', () => {
  it('is sent with its reason only after it was confirmed', async () => {
    const { page, complaints } = await open(asOfficer(ids.mainShock));
    const panel = page.locator('.commands');
    await panel.getByLabel('Reason (required').fill('false report');
    await panel.getByRole('button', { name: 'Stand down' }).click();
    await panel.getByText('Press again within 10 seconds').waitFor();
    assert.equal(api.responses.commands.length, 0);
    await panel.getByRole('button', { name: 'Confirm: Stand down' }).click();
    await panel.getByText('Command taken: Stand down.').waitFor();
    const [command] = api.responses.commands;
    assert.equal(command?.kind, 'stand-down');
    assert.equal(command?.reason, 'false report');
    assert.equal(command?.by, 'duty-officer');
    assert.deepEqual(complaints, []);
  });

  it('can be taken back before it is confirmed', async () => {
    const { page } = await open(asOfficer(ids.mainShock));
    const panel = page.locator('.commands');
    await panel.getByLabel('Reason (required').fill('false report');
    await panel.getByRole('button', { name: 'Close', exact: true }).click();
    await panel.getByRole('button', { name: 'Cancel' }).click();
    await panel.getByRole('button', { name: 'Close', exact: true }).waitFor();
    assert.equal(await panel.getByRole('button', { name: /^Confirm/ }).count(), 0);
    assert.equal(api.responses.commands.length, 0);
  });

  it('escalates to a severity of the plan that the incident is pinned to', async () => {
    const { page } = await open(asOfficer(ids.gasLeak));
    const panel = page.locator('.commands');
    await panel.getByLabel('Escalate to').waitFor();
    await panel.getByLabel('Reason (required').fill('flames seen');
    await panel.getByRole('button', { name: 'Escalate', exact: true }).click();
    await panel.getByRole('button', { name: 'Confirm: Escalate' }).click();
    await panel.getByText('Command taken: Escalate.').waitFor();
    const [command] = api.responses.commands;
    assert.equal(command?.severity, await panel.getByLabel('Escalate to').inputValue());
  });

  it('is not offered to somebody who may only look', async () => {
    const { page } = await open(incidentAddress(ids.mainShock));
    const panel = page.locator('.commands');
    await panel.getByText('Needs the role operator.').waitFor();
    assert.equal(await panel.getByRole('button', { name: 'Close', exact: true }).isDisabled(), true);
  });
});

describe('a proposal', () => {
  const asBoard = (id: string): string => `/#key=${keyOf('plan-board')}&/proposals/${encodeURIComponent(id)}`;

  it('is found from the list, and shows what would change and what a rehearsal says', async () => {
    const { page } = await open();
    await page.getByRole('link', { name: `Proposal ${PROPOSAL.id}` }).click();
    await page.getByText('detect.magnitude').waitFor();
    const text = await page.locator('main').innerText();
    assert.match(text, /4\.5 → 4\.8/);
    assert.match(text, /of them nuisance\s+3/);
    assert.match(text, /severe incidents missed\s+0\s+0/);
  });

  it('is decided by the board that the plan names, with a reason', async () => {
    const { page, complaints } = await open(asBoard(PROPOSAL.id));
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Give a reason first.').waitFor();
    await page.getByLabel('Reason (required').fill('convincing');
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.locator('#announcer', { hasText: 'Answer taken: Approve.' }).waitFor({ state: 'attached' });
    assert.deepEqual(
      api.responses.decisions.map(({ approve, by, reason }) => [approve, by, reason]),
      [[true, 'plan-board', 'convincing']],
    );
    assert.deepEqual(complaints, []);
  });

  it('meets WCAG 2.2 AA in both languages', async () => {
    const { page } = await open(asBoard(PROPOSAL.id), FOR_AXE);
    await page.getByText('detect.magnitude').waitFor();
    assert.deepEqual(await axeFindings(page), []);
    await page.getByRole('button', { name: '中文' }).click();
    await page.getByRole('button', { name: '批准' }).waitFor();
    assert.deepEqual(await axeFindings(page), []);
  });
});

describe('the key', () => {
  it('is taken out of the address at once, and kept for the tab only', async () => {
    const { page } = await open(asOfficer(ids.gasLeak));
    await page.getByText('Signed in as duty-officer').waitFor();
    assert.doesNotMatch(page.url(), /key/);
    assert.equal(await page.evaluate("localStorage.getItem('tocsin.key')"), null);
    assert.equal(await page.evaluate('document.cookie'), '');
  });

  it('can be typed, and given up again', async () => {
    const { page } = await open();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('API key').fill(keyOf('duty-officer'));
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as duty-officer (operator, duty officer)').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Looking only').waitFor();
  });

  it('that is wrong is named as such, and not sent again', async () => {
    const { page } = await open('/#key=wrong');
    await page.getByText('This key is not known or was revoked.').waitFor();
    assert.equal(await page.evaluate("sessionStorage.getItem('tocsin.key')"), null);
  });
});

describe('the language', () => {
  it('changes everything at once and is remembered', async () => {
    const { page } = await open();
    await page.locator('.incident-table').waitFor();
    await page.getByRole('button', { name: '中文' }).click();
    await page.getByRole('heading', { name: '等待人工决定' }).waitFor();
    assert.equal(await page.evaluate('document.documentElement.lang'), 'zh-CN');
    const text = await page.locator('body').innerText();
    assert.match(text, /地震[\s\S]*花莲/);
    assert.doesNotMatch(text, /Earthquake|responding|Hualien|Waiting/);
    await page.reload();
    await page.getByText('是否关闭河畔大厦的燃气总阀').first().waitFor();
  });

  it('begins with the one the browser asks for', async () => {
    const { page } = await open(incidentAddress(ids.mainShock), { locale: 'zh-CN' });
    await page.getByRole('heading', { name: '为何如此分类' }).waitFor();
    await page.getByText('最可能是地震（98%）').waitFor();
    assert.doesNotMatch(await page.locator('.timeline').innerText(), /Escalated|Dispatch|distance|severity/);
  });
});

describe('the keyboard alone', () => {
  it('leads from the top through the skip link to an incident and back', async () => {
    const { page } = await open();
    await page.locator('.incident-table').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.locator(':focus').textContent(), 'Skip to content');
    await page.keyboard.press('Enter');
    assert.equal(await page.locator(':focus').getAttribute('id'), 'main');
    await page.locator('[data-key^="row-"]').first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Earthquake, Hualien' }).waitFor();
    await page.getByRole('link', { name: 'All incidents' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.incident-table').waitFor();
  });

  it('moves and zooms the map', async () => {
    const { page } = await open();
    const map = page.locator('svg.map');
    await map.focus();
    const before = await map.getAttribute('viewBox');
    await page.keyboard.press('+');
    const zoomed = await map.getAttribute('viewBox');
    await page.keyboard.press('ArrowLeft');
    const moved = await map.getAttribute('viewBox');
    assert.equal(new Set([before, zoomed, moved]).size, 3);
  });

  it('brings each marker into view whole, ring and all, wherever the map was moved to', async () => {
    await putIncidentAt('Chatham', -44, 179.6);
    const { page } = await open('/', { viewport: { width: 1280, height: 420 } });
    await page.locator('.map a').nth(3).waitFor();
    const map = page.locator('svg.map');
    for (const moves of [[], ['+', '+', '+', '+', 'ArrowUp', 'ArrowUp', 'ArrowUp']]) {
      await map.focus();
      for (const key of moves) await page.keyboard.press(key);
      for (let n = 0; n < 4; n += 1) {
        await page.keyboard.press('Tab');
        assert.deepEqual(await hiddenPartsOfFocus(page), []);
      }
      await page.keyboard.press('Tab');
      assert.equal(await page.locator(':focus').getAttribute('data-key'), 'map-+');
      for (let n = 0; n < 4; n += 1) {
        await page.keyboard.press('Shift+Tab');
        assert.deepEqual(await hiddenPartsOfFocus(page), []);
      }
    }
  });

  it('shows the world from edge to edge when its incidents need it all, and a marker at the edge whole', async () => {
    await putIncidentAt('Quito', 0, -78);
    const { page } = await open();
    const seen = async (): Promise<number[]> =>
      (await page.locator('svg.map').getAttribute('viewBox'))!.split(' ').map(Number);
    await page.locator('.map a').nth(3).waitFor();
    const [left, , width] = await seen();
    assert.deepEqual([left, width], [0, 360]);
    await putIncidentAt('Chatham', -44, 179.6);
    await page.locator('.map a').nth(4).waitFor();
    const [shifted] = await seen();
    assert.ok(shifted! > 5 && shifted! < 20, `${shifted}`);
  });

  it('leaves the map where it was moved to, and stays on its marker, when an incident changes', async () => {
    const { page } = await open();
    const map = page.locator('svg.map');
    await page.locator('.map a').nth(2).waitFor();
    await map.focus();
    for (const key of ['+', '+', '+', '+', 'Tab']) await page.keyboard.press(key);
    const key = await page.locator(':focus').getAttribute('data-key');
    // Drags without taking the focus away.
    await page.evaluate("document.addEventListener('mousedown', (event) => event.preventDefault())");
    const { x, y } = (await map.boundingBox())!;
    await page.mouse.move(x + 700, y + 150);
    await page.mouse.down();
    await page.mouse.move(x + 30, y + 150);
    await page.mouse.up();
    const before = await map.getAttribute('viewBox');
    assert.notDeepEqual(await hiddenPartsOfFocus(page), []);
    await putIncidentAt('Chatham', -44, 179.6);
    await page.locator('.map a').nth(3).waitFor();
    assert.equal(await map.getAttribute('viewBox'), before);
    assert.equal(await page.locator(':focus').getAttribute('data-key'), key);
  });

  it('stays on the tools of the map when an incident changes, and on the map when its marker goes', async () => {
    await putIncidentAt('Chatham', -44, 179.6);
    const { page } = await open();
    await page.locator('.map a').nth(3).waitFor();
    await page.getByRole('button', { name: 'Zoom in' }).focus();
    const view = mainShock(Date.now());
    await api.stores.incidents.put({ ...view, phase: 'resolved', updatedAtMs: view.updatedAtMs + 1 });
    await page.locator('.incident-table .chip.phase-resolved').nth(1).waitFor();
    assert.equal(await page.locator(':focus').getAttribute('data-key'), 'map-+');
    await page.locator('[data-key="marker-hualien"]').focus();
    await api.stores.incidents.put({ ...view, phase: 'closed', updatedAtMs: view.updatedAtMs + 2 });
    await page.locator('[data-key="marker-hualien"]').waitFor({ state: 'detached' });
    assert.equal(await page.locator(':focus').getAttribute('data-key'), 'map');
  });

  it('keeps its place in the list when the list changes', async () => {
    const { page } = await open();
    const link = page.locator('[data-key^="row-"]').nth(1);
    await link.focus();
    const key = await link.getAttribute('data-key');
    const view = mainShock(Date.now());
    await api.stores.incidents.put({ ...view, phase: 'resolved', updatedAtMs: view.updatedAtMs + 1 });
    await page.locator('.incident-table .chip.phase-resolved').nth(1).waitFor();
    assert.equal(await page.locator(':focus').getAttribute('data-key'), key);
  });

  it('goes on from what came of an answer, of a command taken back, and of signing in and out', async () => {
    const { page } = await open(asOfficer(ids.gasLeak));
    const focused = (): Promise<string | null> => page.locator(':focus').getAttribute('data-key');
    const answer = page.getByRole('button', { name: 'Approve' });
    await answer.waitFor();
    await answer.focus();
    await page.keyboard.press('Enter');
    await page.locator('.settled:focus-within').waitFor();
    assert.equal(await focused(), `settled-${GAS_QUESTION.id}`);
    await page.getByRole('button', { name: 'Stand down' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Cancel' }).focus();
    await page.keyboard.press('Enter');
    assert.equal(await focused(), 'choice-command-stand-down');
    await page.getByRole('button', { name: 'Sign out' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('[data-key="sign-in"]:focus').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('#key:focus').waitFor();
    await page.keyboard.type(keyOf('duty-officer').slice(0, 6));
    for (const language of ['en', 'zh', 'en']) {
      await page.locator(`[data-key="language-${language}"]`).focus();
      await page.keyboard.press('Enter');
    }
    await page.locator('#key').focus();
    await page.keyboard.press('End');
    await page.keyboard.type(keyOf('duty-officer').slice(6));
    await page.keyboard.press('Enter');
    await page.locator('[data-key="sign-out"]:focus').waitFor();
  });

  it('stays on the heading of a page while its incident changes', async () => {
    const { page } = await open();
    await page.locator('[data-key^="row-"]').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('.vote').first().waitFor();
    const view = mainShock(Date.now());
    await api.stores.incidents.put({ ...view, phase: 'resolved', updatedAtMs: view.updatedAtMs + 1 });
    await page.locator('.incident-title .phase-resolved').waitFor();
    assert.equal(await page.locator(':focus').innerText(), 'Earthquake, Hualien');
  });

  it('shows where it is', async () => {
    const { page } = await open();
    await page.locator('.incident-table').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineWidth');
    assert.equal(outline, '3px');
  });
});

describe('old data', () => {
  it('is called old within seconds after the server went away, and current again when it is back', async () => {
    const { page } = await open();
    await page.locator('.pulse.alive').waitFor();
    assert.equal(await page.locator('.banner.stale').count(), 0);
    // The server stops in mid-stream, and comes back at the same address.
    await page.route('**/v1/**', (route) => route.abort());
    api.stopStreams();
    const banner = page.locator('.banner.stale');
    await banner.waitFor({ timeout: 9_000 });
    assert.match(await banner.innerText(), /^No contact with the server for [5-9] s\. .* last data 20\d\d-/);
    assert.equal(await banner.getAttribute('role'), 'alert');
    await page.unroute('**/v1/**');
    await banner.waitFor({ state: 'detached', timeout: 9_000 });
  });

  it('is called old when the server itself cannot read its store', async () => {
    const { page } = await open();
    await page.locator('.pulse.alive').waitFor();
    api.stores.incidents.list = async () => {
      throw new Error('store away');
    };
    const banner = page.locator('.banner.stale');
    await banner.waitFor({ timeout: 12_000 });
    assert.match(await banner.innerText(), /cannot read its store/);
  });
});

describe('everybody', () => {
  for (const [name, options] of [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
  ] as const) {
    it(`finds no serious obstacle (axe-core), ${name}`, async () => {
      const { page } = await open(asOfficer(ids.mainShock), { ...FOR_AXE, ...options });
      await page.locator('.vote').first().waitFor();
      assert.deepEqual(await axeFindings(page), []);
      await page.goto(`${api.url}/${incidentAddress(ids.gasLeak).slice(1)}`);
      await page.getByRole('button', { name: 'Approve' }).waitFor();
      assert.deepEqual(await axeFindings(page), []);
      await page.goto(`${api.url}/#/`);
      await page.getByRole('button', { name: 'All', exact: true }).click();
      await page.locator('.incident-table').waitFor();
      assert.deepEqual(await axeFindings(page), []);
    });
  }

  for (const [name, width, height] of [
    ['on a telephone', 360, 740],
    ['enlarged fourfold', 320, 200],
  ] as const) {
    it(`can use it ${name}: nothing runs out of ${width} pixels`, async () => {
      const { page } = await open('/', { viewport: { width, height } });
      await page.locator('.incident-table').waitFor();
      const widths = [await page.evaluate('document.documentElement.scrollWidth')];
      const map = (await page.locator('svg.map').boundingBox())!;
      const tools = (await page.locator('.map-tools').boundingBox())!;
      assert.ok(tools.y >= map.y + map.height, 'the tools of the map lie over it');
      await page.goto(`${api.url}/${incidentAddress(ids.mainShock).slice(1)}`);
      await page.locator('.vote').first().waitFor();
      widths.push(await page.evaluate('document.documentElement.scrollWidth'));
      await page.goto(`${api.url}/#/proposals/${encodeURIComponent(PROPOSAL.id)}`);
      const table = page.locator('.proposal-page table');
      await table.waitFor();
      widths.push(await page.evaluate('document.documentElement.scrollWidth'));
      assert.ok((await table.boundingBox())!.width > width * 0.7, 'the rehearsal is squeezed');
      assert.deepEqual(widths, [width, width, width]);
    });
  }
});
