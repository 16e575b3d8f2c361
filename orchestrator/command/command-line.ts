import { Command, CommanderError, Option } from 'commander';
import { UsageFault } from '../errors.ts';
import { type Phase, PHASE_NAMES, PHASES } from '../reconcile/phases.ts';
import type { Flags } from '../settings.ts';

/** The commands that carry a run on by one phase, in the order of a run. `plan` is not among them: it begins no run. */
export type PhaseCommand = Exclude<Phase, 'plan'>;
const PHASE_COMMANDS = PHASE_NAMES.filter((phase): phase is PhaseCommand => phase !== 'plan');

export interface Invocation {
  readonly command: 'plan' | 'run' | 'status' | 'rollback' | 'abandon' | 'sweep' | PhaseCommand;
  readonly flags: Flags;
}

/** Parses the command line. `version` when the version was asked for. Null when help was asked for and has been printed. */
export function parseCommandLine(
  args: readonly string[],
  print: (text: string) => void,
): Invocation | 'version' | null {
  let invocation: Invocation | null = null;
  const printed: string[] = [];
  const program = new Command('reindex-fleet')
    .description(
      'Rebuilds a search index from PostgreSQL on a fleet of workers, proves it complete, and moves the alias.',
    )
    .version('', '-V, --version', 'say which version and build this is')
    .configureOutput({ writeOut: (text) => void printed.push(text), writeErr: () => {} })
    .exitOverride();
  const add = (command: Invocation['command'], description: string): Command =>
    withSettings(program.command(command).description(description)).action((flags: Flags) => {
      invocation = { command, flags };
    });

  add('run', 'do the whole run, or carry on an unfinished one')
    .option('--run-key <key>', RUN_KEY)
    .option('--restart', RESTART)
    .option('--wait [duration]', WAIT)
    .option('--max-cost <amount>', MAX_COST)
    .option('--allow-shrink', ALLOW_SHRINK)
    .option('--replace-foreign', REPLACE_FOREIGN);
  add('plan', 'show what a run would do; write nothing').option(
    '--exact',
    'count the rows instead of estimating them',
  );
  add('status', 'show the state of the current run, or of a given one; write nothing').option(
    '--run-key <key>',
    RUN_KEY,
  );
  add('rollback', 'move the alias back to where it was before the last promotion')
    .option('--run-key <key>', RUN_KEY)
    .option('--wait [duration]', WAIT);
  add('abandon', 'end an unfinished run: bring its fleet to zero, delete its index, release the fleet')
    .addOption(new Option('--run-key <key>', RUN_KEY).conflicts('alias'))
    .option('--alias <alias>', 'only free this alias of a claim that a run has left in the cluster')
    .option('--force', 'with --alias: also free it of the claim of a run whose journal is gone')
    .option('--wait [duration]', WAIT);
  add(
    'sweep',
    'bring the fleet to zero unless a live run uses it, and delete old journals; safe at any time',
  );
  for (const phase of PHASE_COMMANDS) {
    const command = add(phase, PHASES[phase].words)
      .option('--run-key <key>', RUN_KEY)
      .option('--wait [duration]', WAIT);
    if (phase === 'claim') command.option('--restart', RESTART);
    if (phase === 'promote')
      command
        .option('--promote-limit <count>', 'accept this many dead letters, whatever the definition says')
        .option('--allow-shrink', ALLOW_SHRINK);
    // The first two look ahead, and refuse what the move would refuse.
    if (phase === 'claim' || phase === 'create-index' || phase === 'promote')
      command.option('--replace-foreign', REPLACE_FOREIGN);
    if (phase === 'reindex' || phase === 'validate') command.option('--max-cost <amount>', MAX_COST);
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.code === 'commander.version') return 'version';
    if (error instanceof CommanderError && error.exitCode === 0) {
      for (const text of printed) print(text);
      return null;
    }
    throw new UsageFault(`${usageWords(error)}; \`reindex-fleet --help\` shows the commands`, {
      cause: error,
    });
  }
  return invocation;
}

function usageWords(error: unknown): string {
  if (error instanceof CommanderError && error.code === 'commander.help') return 'a command is missing';
  return error instanceof Error ? error.message.replace(/^error: /, '').replace(/\.$/, '') : String(error);
}

const RUN_KEY = 'the run’s name: the same key carries the same run on, e.g. the id of a scheduler’s run';

const RESTART =
  'begin an unfinished run anew if its definition, its table or its build has changed; this deletes its index and keeps its key';

const WAIT =
  'wait so long for the process that holds the fleet, e.g. 30m; without a duration as long as it lives (default with --run-key: as long as it works on the same run)';

const MAX_COST =
  'stop the run, with the fleet at zero, before its instances cost more than this; it can be carried on';

const ALLOW_SHRINK =
  'accept that readers lose more documents than promote.shrink_limit allows, or all of them';

const REPLACE_FOREIGN = 'take the alias away from indexes that this fleet did not build';

function withSettings(command: Command): Command {
  return command
    .option(
      '--settings <file>',
      'settings file (default: reindex-fleet.yaml here, else the embedded example)',
    )
    .addOption(
      new Option('--stack <name>', 'take the settings from the outputs of this Pulumi stack').conflicts(
        'settings',
      ),
    )
    .option('--source <url>', 'PostgreSQL URL, or "embedded"')
    .option('--target <url>', 'OpenSearch or Elasticsearch URL, or "embedded"')
    .option(
      '--target-username <name>',
      'user for basic authentication; the password is in REINDEX_TARGET_PASSWORD',
    )
    .option('--fleet <name>', 'name of the fleet')
    .option('--definitions <path>', 'index definition file or folder')
    .option('--definition <name>', 'name of the definition, if there are several')
    .option('--journal <url>', 'where journals, claims and locks are kept: a folder, or s3://bucket/prefix')
    .option('--workers <count>', 'number of workers')
    .option('--ranges <count>', 'number of ranges to split the table into');
}
