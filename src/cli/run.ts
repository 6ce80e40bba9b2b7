import { Command, CommanderError } from 'commander';
import { isStoreError } from '../core/ports.ts';
import { findClosest } from '../core/closest.ts';
import { aboutCommands, versionLine, versions } from './about.ts';
import { adminCommands } from './admin.ts';
import { apiKeyCommands } from './api-key.ts';
import { auditCommands } from './audit.ts';
import { backupCommands } from './backup.ts';
import { clientCommands } from './client.ts';
import { completionCommand } from './completions.ts';
import { addCommonOptions, declareCommand, type CommandRow, type Ended } from './declare.ts';
import { configurationCommands } from './configuration.ts';
import { doctorCommands } from './doctor.ts';
import { CommandFailure, UsageError } from './failure.ts';
import { eventCommands } from './events.ts';
import { grantCommands } from './grant.ts';
import { importCommands } from './import.ts';
import { keyCommands } from './keys.ts';
import { orgCommands } from './org.ts';
import { restoreCommands } from './restore.ts';
import { ReaderGone, writeErr, writeOut } from './output.ts';
import { resourceCommands } from './resource.ts';
import { roleCommands } from './role.ts';
import { serverCommands } from './server.ts';
import { serviceUnitCommands } from './service-unit.ts';
import { sessionCommands } from './session.ts';
import { tenantCommands } from './tenant.ts';
import { plain, styleFor } from './text.ts';
import { tokenCommands } from './token.ts';
import { userCommands } from './user.ts';
import { webhookCommands } from './webhook.ts';

const groups: readonly (readonly [name: string, summary: string, commands: readonly CommandRow[]])[] = [
  ['tenant', 'Tenants: an issuer each, with keys, clients and users of its own', tenantCommands],
  ['client', 'Clients: applications and services that get or check tokens', clientCommands],
  ['resource', 'Resources: APIs that tokens are meant for', resourceCommands],
  ['user', 'Users: people behind tokens', userCommands],
  ['org', 'Organizations: groups that users belong to, with roles', orgCommands],
  ['role', 'Roles: what their holders may do in an organization', roleCommands],
  ['token', 'Tokens: issue, look at, explain, revoke', tokenCommands],
  ['grant', 'Grants: what users allowed clients, with all tokens that came of it', grantCommands],
  ['session', 'Sessions: where users are signed in', sessionCommands],
  ['keys', 'Signing keys: list, rotate, revoke', keyCommands],
  ['webhook', 'Webhooks: tell other programs what happens here', webhookCommands],
  ['audit', 'Audit trail', auditCommands],
  ['api-key', 'API keys: programs that operate the server over HTTP', apiKeyCommands],
  ['admin', 'Administrators: people who operate the server in the console', adminCommands],
  ['import', 'Imports: take over what another server has', importCommands],
  ['backup', 'Backups of the whole database', backupCommands],
];

const DONE = 0;
const FAILED = 1;
const USAGE = 2;

/** What the parser wants to say before anything ran. */
type Said = { out: string; err: string };

function buildProgram(said: Said, json: boolean, ended: Ended): Command {
  const { bold } = styleFor(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
  const program = new Command('assay')
    .description('OAuth 2.1 and OpenID Connect authorization server in one executable.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => { said.out += text; }, writeErr: (text) => { said.err += text; }, outputError: (text, write) => write(text) })
    .configureHelp({ styleTitle: bold, helpWidth: Math.min(process.stdout.columns || 100, 120) })
    .option('-V, --version', 'print what this is and what it stands on')
    .addHelpText('after', '\nStart with `assay serve --demo`. Each command explains itself: `assay client create --help`.');
  addCommonOptions(program);
  program.on('option:version', () => {
    said.out += `${json ? JSON.stringify(versions()) : versionLine()}\n`;
    throw new CommanderError(DONE, 'assay.version', 'version');
  });
  for (const row of serverCommands) declareCommand(program, row, ended);
  for (const row of configurationCommands) declareCommand(program, row, ended);
  for (const [name, summary, commands] of groups) {
    const group = program.command(name).summary(summary).description(`${summary}.`);
    for (const row of commands) declareCommand(group, row, ended);
  }
  for (const row of eventCommands) declareCommand(program, row, ended);
  for (const row of [...restoreCommands, ...doctorCommands, ...serviceUnitCommands, completionCommand(program), ...aboutCommands]) declareCommand(program, row, ended);
  return program;
}

/** A key's id may begin with a dash; as long as it is, it cannot be a flag. */
function shieldKeyIds(argv: readonly string[]): readonly string[] {
  const ids = argv.filter((word) => /^-[A-Za-z0-9_-]{42}$/.test(word));
  return ids.length === 0 || argv.includes('--') ? argv : [...argv.filter((word) => !ids.includes(word)), '--', ...ids];
}

/** The words of a command line that stand before its first flag, apart from flags that every command takes. */
function leadingWords(argv: readonly string[]): readonly string[] {
  const [word, ...rest] = argv;
  if (word === undefined) return [];
  if (word === '--data' || word === '--config') return leadingWords(rest.slice(1));
  if (word === '--json' || /^--(?:data|config)=/.test(word)) return leadingWords(rest);
  return word.startsWith('-') ? [] : [word, ...leadingWords(rest)];
}

/** Help about a command that does not exist would be that of its group, as if all were well. @throws UsageError */
function refuseUnknownHelp(program: Command, argv: readonly string[]): void {
  if (!argv.includes('--help') && !argv.includes('-h')) return;
  let command = program;
  for (const word of leadingWords(argv)) {
    const { commands } = command;
    if (commands.length === 0 || word === 'help') return;
    const found = commands.find((candidate) => candidate.name() === word);
    if (found === undefined) {
      const meant = findClosest(word, commands.map((candidate) => candidate.name()));
      throw new UsageError(`unknown command '${word}'${meant === null ? '' : ` (Did you mean ${meant}?)`}`);
    }
    command = found;
  }
}

/**
 * Runs one command line.
 * @param argv without the program's own name
 * @returns the exit code: 0 done, 1 failed, 2 usage
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const said: Said = { out: '', err: '' };
  let code = DONE;
  const json = argv.includes('--json');
  const program = buildProgram(said, json, (ending) => { code = ending; });
  try {
    refuseUnknownHelp(program, argv);
    await program.parseAsync([...shieldKeyIds(argv)], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof ReaderGone) return DONE;
    return await report(error, said, json);
  }
}

async function report(error: unknown, said: Said, json: boolean): Promise<number> {
  if (error instanceof CommanderError) {
    if (error.exitCode === DONE) {
      await writeOut(said.out);
      return DONE;
    }
    return fail(USAGE, 'usage', error.code === 'commander.help' ? '' : error.message.replace(/^error: /, '').replaceAll('\n', ' '), [], json, said.err);
  }
  if (error instanceof UsageError) return fail(USAGE, error.code, error.message, error.problems, json);
  if (error instanceof CommandFailure) return fail(FAILED, error.code, error.message, error.problems, json);
  if (isStoreError(error)) {
    return fail(FAILED, `storage_${error.kind}`, error.kind === 'busy'
      ? 'the database is busy with another writer; try again in a moment'
      : 'the database cannot be used now: look at the disk\'s space, its health and the permissions of the data folder', [], json);
  }
  throw error;
}

async function fail(code: number, error: string, description: string, problems: readonly string[], json: boolean, said?: string): Promise<number> {
  if (json) {
    await writeOut(`${JSON.stringify({ error, error_description: [description, ...problems].filter((part) => part !== '').join('; ') || 'a command is missing', ...(problems.length > 0 && { problems }) })}\n`);
    return code;
  }
  if (said !== undefined) writeErr(said);
  else writeErr(`error: ${plain(description)}\n${problems.map((problem) => `  - ${plain(problem)}\n`).join('')}`);
  if (code === USAGE && description !== '') writeErr('Add --help to see what the command takes.\n');
  return code;
}
