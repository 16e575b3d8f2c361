import { UsageFault } from '../errors.ts';
import { priceOf } from '../plan/cost.ts';
import type { CommandContext } from './command.ts';
import type { PhaseCommand } from './command-line.ts';

/** Commands that launch instances: `validate` reads ranges again that do not match. */
const SPENDING: readonly string[] = ['run', 'reindex', 'validate'] satisfies ('run' | PhaseCommand)[];

/**
 * What the run's instances may cost at most, in the currency of the settings: `--max-cost` over REINDEX_MAX_COST; null:
 * nobody has set a bound.
 *
 * @throws UsageFault when it is no amount, or nobody has said what an instance costs
 */
export function maxCostOf({ flags, offline }: CommandContext, command: string): number | null {
  if (!SPENDING.includes(command)) return null;
  const inherited = offline.environment.REINDEX_MAX_COST;
  const [origin, given] =
    flags.maxCost === undefined ? ['REINDEX_MAX_COST', inherited ?? ''] : ['--max-cost', flags.maxCost];
  if (flags.maxCost === undefined && given === '') return null;
  const amount = typeof given === 'string' && /^\d+(\.\d+)?$/.test(given) ? Number(given) : 0;
  if (amount <= 0) throw new UsageFault(`${origin} is an amount of money, more than 0, e.g. 12.50`);
  if (priceOf(offline.settings) === null)
    throw new UsageFault(
      `${origin} needs to know what an instance costs: set price.per_hour in ${offline.settings.file}`,
    );
  return amount;
}
