import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Handlebars from 'handlebars';
import { distributionSvg } from '../../views/charts/distribution.ts';
import { trendSvg } from '../../views/charts/trend.ts';
import type { AssetsManifest } from '../build.ts';
import type { Distribution, TrendSeries } from '../domain/trend-items.ts';

/** The signature Express expects of a template engine. */
export type ViewEngine = (
  path: string,
  data: object,
  done: (error: unknown, html?: string) => void,
) => void;

/** `guard` puts somebody else here, through `response.locals`. */
const NOBODY = { signedIn: null };

/** As `views/browser/status.ts` writes it. */
const MOMENT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** What every page needs besides its own data; the layout reads it. */
export interface PageFrame {
  readonly title: string;
  readonly party: 'guardian' | 'employer';
  readonly partyName: string;
  readonly organisation: string;
  /** Whether both parties run on this machine; the layout then says what that means. */
  readonly evaluation: boolean;
  /** What a Light survey does not keep, and what its rounds add up to, where there is one. */
  readonly light: string | null;
  readonly nav: readonly { href: string; label: string; current: boolean }[];
}

/** `pages/status.hbs` takes it as `status`; `GET /status.json` answers with the same. */
export interface StatusPage {
  /** The evaluation's sample while it is being made. */
  readonly preparing: null | {
    readonly done: number;
    readonly total: number;
    readonly sentence: string;
  };
  /** Newest first. `opens` and `closes` are days in words. */
  readonly rounds: readonly {
    readonly number: number;
    readonly opens: string;
    readonly closes: string;
    readonly state: string;
    readonly stateLabel: string;
    /** Groups finished of all, while the round is counted; otherwise null. */
    readonly progress: null | { readonly done: number; readonly total: number };
    /** How many groups are in each state. */
    readonly groups: Readonly<
      Record<'boxed' | 'counting' | 'sealed' | 'noised' | 'confirmed' | 'withheld', number>
    >;
  }[];
  readonly openRound: null | {
    readonly number: number;
    readonly closes: string;
    /** Evaluation at the guardian only: shows the way to `GET /evaluation/close-round`. */
    readonly canClose: boolean;
    readonly answerLinkExample: string | null;
  };
  readonly waitingFor: null | 'employer' | 'guardian';
  /** What this party does or waits for next, in sentences. */
  readonly next: readonly string[];
  /** What failed and why, in sentences; tried again by itself. */
  readonly failures: readonly string[];
  /** Newest first; `at` is an ISO 8601 time in UTC. */
  readonly events: readonly { readonly at: string; readonly sentence: string }[];
}

/** `pages/sign-in.hbs`. */
export interface SignInPage {
  readonly canMail: boolean;
  /** What happened that brought the person here: signed out, or a session that ended. */
  readonly before: string | null;
  /** What is wrong with the address; null before anything was sent. */
  readonly error: string | null;
  readonly email: string;
}

/** The state of a sheet, as pages say it. */
export const SHEET_STATE_WORDS = {
  draft: 'Draft',
  submitted: 'Waits for a decision',
  approved: 'Approved',
  refused: 'Refused',
  retired: 'Over',
} as const;

/** `pages/survey.hbs` takes it as `survey`. */
export interface SurveyPage {
  readonly title: string;
  readonly stateLabel: string;
  /** Why it was refused. */
  readonly reason: string | null;
  /** In base64url. */
  readonly hash: string;
  readonly facts: readonly { readonly name: string; readonly text: string }[];
  readonly notice: readonly string[];
  readonly questions: readonly {
    readonly text: string;
    readonly options: readonly string[];
    readonly why: string;
  }[];
  /** What the guardian agrees to by name, for a Light survey. */
  readonly light: string | null;
  /** What each device works out from the answers and sends beside them. */
  readonly scores: readonly {
    readonly name: string;
    readonly text: string;
    readonly why: string;
  }[];
  /** Whether it waits for a decision, and the reader may make it. */
  readonly mayDecide: boolean;
  /** What is wrong with the form that was sent; at most one of them. */
  readonly approveError: string | null;
  readonly approveField: 'confirmed' | 'named';
  readonly refuseError: string | null;
  readonly refuseText: string;
}

/** `pages/account.hbs` takes it as `account`. */
export interface AccountPage {
  /** ρ of the rounds that count today, in words; and the cap, or null without one. */
  readonly sum: string;
  readonly cap: string | null;
  /** The sum as a part of the cap, 0 … 1. */
  readonly part: number | null;
  readonly epsilon: string | null;
  /** Newest first. */
  readonly rounds: readonly {
    readonly number: number;
    readonly survey: string | null;
    readonly preset: string;
    readonly began: string;
    readonly cost: string;
    /** The last day on which it counts. */
    readonly until: string;
    readonly counts: boolean;
  }[];
}

/** One setting as the retention pages show it. */
export interface RetentionSetting {
  /** The label, and whose setting it is. */
  readonly heading: string;
  readonly label: string;
  readonly holds: string;
  readonly from: string;
  readonly consequence: string;
  readonly days: number;
  /** `days` in words. */
  readonly inForce: string;
  readonly standard: string;
  readonly bounds: string;
  readonly href: string;
}

/** `pages/retention.hbs`. */
export interface RetentionPage {
  readonly mayChange: boolean;
  readonly waiting: readonly {
    readonly words: string;
    readonly since: string;
    readonly hash: string;
  }[];
  readonly decided: readonly { readonly words: string; readonly since: string }[];
  readonly installation: readonly RetentionSetting[];
  /** Approved surveys and those that are over, newest first. */
  readonly surveys: readonly {
    readonly title: string;
    readonly settings: readonly RetentionSetting[];
  }[];
}

/** `pages/retention-change.hbs` takes it as `setting`. */
export interface RetentionChangePage extends RetentionSetting {
  /** What is wrong with the form that was sent. */
  readonly error: string | null;
  readonly entered: string;
}

/** `pages/retention-request.hbs` takes it as `request`. */
export interface RetentionRequestPage {
  readonly heading: string;
  readonly stateLabel: string;
  /** Why it was refused. */
  readonly reason: string | null;
  /** In base64url. */
  readonly hash: string;
  readonly holds: string;
  readonly from: string;
  readonly inForce: string;
  readonly asked: string;
  readonly difference: string | null;
  readonly standard: string;
  /** Whether it waits for a decision, and the reader may make it. */
  readonly mayDecide: boolean;
  /** What is wrong with the form that was sent; at most one of them. */
  readonly approveError: string | null;
  readonly refuseError: string | null;
  readonly refuseText: string;
}

interface InventoryRow {
  readonly store: string;
  readonly records: string;
  readonly holds: string;
  readonly why: string;
  readonly goes: string;
  /** Days in words. */
  readonly oldest: string | null;
  readonly due: string | null;
}

/** `pages/inventory.hbs`. */
export interface InventoryPage {
  readonly unknown: readonly InventoryRow[];
  readonly stored: readonly InventoryRow[];
  readonly empty: readonly InventoryRow[];
}

/** `pages/close-round.hbs` takes it as `closing`. */
export interface CloseRoundPage {
  readonly number: number;
  /** The planned last day, in words. */
  readonly closes: string;
  readonly k: number;
}

/** `pages/message.hbs`: errors, refusals and empty pages. */
export interface MessagePage {
  readonly heading: string;
  readonly sentence: string;
  readonly action: null | { readonly href: string; readonly label: string };
}

/** An `integrity` attribute from a base64url SHA-256. */
function subresourceIntegrity(sha256: string): string {
  return `sha256-${Buffer.from(sha256, 'base64url').toString('base64')}`;
}

function compileFolder(engine: typeof Handlebars, folder: string) {
  const templates = new Map<string, Handlebars.TemplateDelegate>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.hbs'))) {
    const source = readFileSync(join(folder, file), 'utf8');
    // Strict: a field that the server forgot is an error in a test, not a hole in a page.
    templates.set(basename(file, '.hbs'), engine.compile(source, { strict: true }));
  }
  return templates;
}

/**
 * Handlebars for Express: each page inside `layouts/main.hbs`. All templates are read and
 * compiled once, here. Use as
 * `app.engine('hbs', viewEngine(dir, assets)); app.set('view engine', 'hbs'); app.set('views', join(dir, 'pages'))`
 * and render with `PageFrame` and the page's own data.
 *
 * @param viewsDir the source tree's `views/`
 * @param assets `dist/assets/manifest.json`
 * @throws if a template or the layout is missing or does not parse
 */
export function viewEngine(viewsDir: string, assets: AssetsManifest): ViewEngine {
  const engine = Handlebars.create();
  const assetOf = (name: string) => {
    const asset = assets[name];
    if (asset === undefined) throw new Error(`no asset ${name}: run npm run build`);
    return asset;
  };
  engine.registerHelper({
    asset: (name: string) => `/assets/${assetOf(name).file}`,
    integrity: (name: string) => subresourceIntegrity(assetOf(name).sha256),
    sri: subresourceIntegrity,
    moment: (iso: string) => MOMENT.format(new Date(iso)),
    is: (a: unknown, b: unknown) => a === b,
    chart: (series: TrendSeries, width: 720 | 360) =>
      new Handlebars.SafeString(trendSvg(series, width)),
    spread: (distribution: Distribution, width: 720 | 360) =>
      new Handlebars.SafeString(distributionSvg(distribution, width)),
  });
  for (const [name, template] of compileFolder(engine, join(viewsDir, 'partials'))) {
    engine.registerPartial(name, template);
  }
  const pages = compileFolder(engine, join(viewsDir, 'pages'));
  const layout = compileFolder(engine, join(viewsDir, 'layouts')).get('main');
  if (layout === undefined) throw new Error('views/layouts/main.hbs is missing');
  return (path, data, done) => {
    let html: string;
    try {
      const page = pages.get(basename(path, '.hbs'));
      if (page === undefined) throw new Error(`no page ${path}`);
      const whole = { ...NOBODY, ...data };
      html = layout({ ...whole, body: page(whole) });
    } catch (error) {
      done(error);
      return;
    }
    done(null, html);
  };
}
