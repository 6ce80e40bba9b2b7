import type { Command, Option } from 'commander';
import { auditTypes } from '../core/audit-event.ts';
import { introspectionPolicies, layoutNames, policyModes, presetNames, refreshRevocations, revocationPolicies, shapeNames, tokenFormats } from '../core/model.ts';
import { authMethods, grantTypes, signingAlgorithms } from '../spec/names.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { writeOut } from './output.ts';

/** A flag as shells complete it. `values`: what it may be; `files`: names of files do. */
type Flag = { readonly name: string; readonly doc: string; readonly takesValue: boolean; readonly values: readonly string[]; readonly files: boolean };
/** A command, or a group of them, by its words below `assay`. */
type Node = { readonly words: string; readonly doc: string; readonly below: readonly string[]; readonly flags: readonly Flag[]; readonly files: boolean };

/** Stands for values that are paths. */
const PATHS = /^(?:FILE|DIR|PLACE|PATH)$/;

/** What flags may be whose help has a word in capitals for it. */
const enumerated: Readonly<Record<string, readonly string[]>> = {
  '--layout': layoutNames, '--preset': presetNames, '--shape': shapeNames, '--introspection-policy': introspectionPolicies, '--introspect': introspectionPolicies,
  '--introspection-policy-mode': policyModes, '--revocation-policy': revocationPolicies, '--refresh-revocation': refreshRevocations,
  '--token-format': tokenFormats, '--alg': signingAlgorithms, '--grant': grantTypes, '--auth-method': authMethods, '--type': auditTypes,
};

function readFlag(option: Option): Flag {
  const metavar = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1]?.replace(/\.{3}$/, '') ?? null;
  return {
    name: option.long ?? option.flags, doc: option.description, takesValue: metavar !== null,
    // Alternatives are written as they are typed; a word in capitals stands for something else.
    values: metavar === null ? [] : metavar.includes('|') ? metavar.split('|') : enumerated[option.long ?? ''] ?? [],
    files: metavar !== null && PATHS.test(metavar),
  };
}

/** Everything that can be typed, from the commands themselves. */
function readTree(command: Command, words = ''): readonly Node[] {
  const help: Flag = { name: '--help', doc: 'display help for command', takesValue: false, values: [], files: false };
  // What runs when a group is named alone can be given its flags there.
  const byDefault = command.commands.find((child) => Reflect.get(command, '_defaultCommandName') === child.name());
  const options = new Map([...command.options, ...(byDefault?.options ?? [])].map((option) => [option.long, option]));
  const node: Node = {
    words, doc: command.summary(), below: command.commands.map((child) => child.name()), flags: [...[...options.values()].map(readFlag), help],
    files: command.registeredArguments.some((argument) => PATHS.test(argument.name())),
  };
  return [node, ...command.commands.flatMap((child) => readTree(child, words === '' ? child.name() : `${words} ${child.name()}`))];
}

/** In single quotes for sh, bash and zsh. */
const quoted = (text: string): string => `'${text.replaceAll('\'', '\'\\\'\'')}'`;
const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll('\'', '\\\'')}'`;
const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

function walk(nodes: readonly Node[], word: string, list: string): string {
  const known = nodes.filter(({ words }) => words !== '').map(({ words }) => quoted(words)).join('|');
  return `  local at='' i
  for ((i = ${list === 'words' ? 2 : 1}; i < ${word}; i++)); do
    case "\${at:+$at }\${${list}[i]}" in ${known}) at="\${at:+$at }\${${list}[i]}" ;; esac
  done`;
}

function bash(nodes: readonly Node[]): string {
  const values = nodes.flatMap(({ words, flags }) => flags.flatMap(({ name, takesValue, values: some, files }) => {
    if (!takesValue) return [];
    const reply = some.length > 0 ? `COMPREPLY=($(compgen -W ${quoted(some.join(' '))} -- "$cur"))` : files ? 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))' : 'COMPREPLY=()';
    return [`    ${quoted(`${words} ${name}`)}) ${reply}; return ;;`];
  }));
  const words = nodes.map((node) => `    ${quoted(node.words)}) ${node.files ? 'files=1; ' : ''}reply=${quoted([...node.below, ...node.flags.map(({ name }) => name)].join(' '))} ;;`);
  return `# bash completion for assay: source <(assay completions bash)
_assay() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" reply='' files=''
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
${walk(nodes, 'COMP_CWORD', 'COMP_WORDS')}
  case "$at $prev" in
${values.join('\n')}
  esac
  case "$at" in
${words.join('\n')}
  esac
  if [[ -n $files && $cur != -* ]]; then compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return; fi
  COMPREPLY=($(compgen -W "$reply" -- "$cur"))
}
complete -F _assay assay
`;
}

function zsh(nodes: readonly Node[]): string {
  const described = (name: string, doc: string): string => quoted(`${name.replaceAll(':', '\\:')}:${firstLine(doc)}`);
  const docs = new Map(nodes.map(({ words, doc }) => [words, doc]));
  const values = nodes.flatMap(({ words, flags }) => flags.flatMap(({ name, takesValue, values: some, files }) => {
    if (!takesValue) return [];
    return [`    ${quoted(`${words} ${name}`)}) ${some.length > 0 ? `compadd -- ${some.map(quoted).join(' ')}` : files ? '_files' : '_message value'}; return ;;`];
  }));
  const words = nodes.map((node) => {
    const below = node.below.map((name) => described(name, docs.get(node.words === '' ? name : `${node.words} ${name}`) ?? ''));
    const flags = node.flags.map(({ name, doc }) => described(name, doc));
    return `    ${quoted(node.words)}) below=(${below.join(' ')}); flags=(${flags.join(' ')})${node.files ? '; files=1' : ''} ;;`;
  });
  return `#compdef assay
# zsh completion for assay: source <(assay completions zsh), or a file _assay in $fpath
_assay() {
  local -a below flags
  local files=''
${walk(nodes, 'CURRENT', 'words')}
  case "$at \${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${words.join('\n')}
  esac
  (( \${#below} )) && _describe command below
  [[ -n $files ]] && _files
  _describe flag flags
}
if [[ \${funcstack[1]} == _assay ]]; then _assay "$@"; else compdef _assay assay; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const docs = new Map(nodes.map(({ words, doc }) => [words, doc]));
  const lines = nodes.flatMap(({ words, below, flags, files }) => {
    const here = `complete -c assay -n ${fishQuoted(`__assay_at ${fishQuoted(words)}`)}`;
    return [
      `${here} ${files ? '-F' : '-f'}`,
      ...below.map((name) => `${here} -f -a ${name} -d ${fishQuoted(firstLine(docs.get(words === '' ? name : `${words} ${name}`) ?? ''))}`),
      ...flags.map(({ name, doc, takesValue, values, files: takesFile }) => {
        const value = !takesValue ? '' : takesFile ? ' -r -F' : ` -x${values.length > 0 ? ` -a ${fishQuoted(values.join(' '))}` : ''}`;
        return `${here} -l ${name.replace(/^--/, '')}${value} -d ${fishQuoted(firstLine(doc))}`;
      }),
    ];
  });
  const known = nodes.filter(({ words }) => words !== '').map(({ words }) => fishQuoted(words)).join(' ');
  return `# fish completion for assay: assay completions fish | source
function __assay_at
  set -l at
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$at $word")
    contains -- $next ${known}; and set at $next
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

const shells: Readonly<Record<string, (nodes: readonly Node[]) => string>> = { bash, zsh, fish };

/** The script that teaches a shell what can be typed. @throws UsageError for another shell */
export function writeCompletions(program: Command, shell: string): string {
  const write = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
  if (write === undefined) throw new UsageError(`completions are for one of ${Object.keys(shells).join(', ')}`);
  return write(readTree(program));
}

/** `assay completions`. @param program everything that can be typed */
export function completionCommand(program: Command): CommandRow {
  return {
    name: 'completions', summary: 'Print what teaches a shell to complete commands, flags and their values', args: [['<SHELL>', 'bash, zsh or fish']],
    notes: 'bash: source <(assay completions bash)   zsh: source <(assay completions zsh)   fish: assay completions fish | source',
    run: async ({ args, out }) => {
      const [shell = ''] = args;
      const script = writeCompletions(program, shell);
      await out.document({ shell, script });
      if (!out.json) await writeOut(script);
      return 0;
    },
  };
}
