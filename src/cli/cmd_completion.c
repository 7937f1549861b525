/* SPDX-License-Identifier: Apache-2.0 */
/* `hob completion`: the scripts for three shells. They hand over the words and offer the answer
 * (complete.c); they know no command and no option. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* Bash cuts words at `=` and `:` too, and replaces only the last piece: the pieces are glued where
 * the line has nothing between them, and what stands before the last one is taken off again. */
static const char bash_script[] =
    "# bash completion for hob; eval \"$(hob completion bash)\"\n"
    "_hob() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} i piece kept kind word what words=() values=()\n"
    "    line=${line#*\"${COMP_WORDS[0]}\"}\n"
    "    for ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "        piece=${COMP_WORDS[i]}\n"
    "        kept=$line\n"
    "        line=${line#\"${line%%[![:space:]]*}\"}\n"
    "        [ \"$i\" -lt \"$COMP_CWORD\" ] || piece=$line\n"
    "        if [ \"$i\" -gt 1 ] && [ \"$kept\" = \"$line\" ]; then\n"
    "            words[${#words[@]}-1]+=$piece\n"
    "        else\n"
    "            words+=(\"$piece\")\n"
    "        fi\n"
    "        line=${line#\"$piece\"}\n"
    "    done\n"
    "    local current=${words[${#words[@]}-1]}\n"
    "    local front=${current%\"${current##*[=:]}\"}\n"
    "    COMPREPLY=()\n"
    "    {\n"
    "        read -r kind\n"
    "        while IFS=$'\\t' read -r word what; do\n"
    "            word=${word#\"$front\"}\n"
    "            printf -v word %q \"$word\"\n"
    "            COMPREPLY+=(\"$word\")\n"
    "        done\n"
    "    } < <(\"${COMP_WORDS[0]}\" complete-words -- \"${words[@]}\" 2>/dev/null)\n"
    "    case $kind in\n"
    "        files) compopt -o default ;;\n"
    "        directories) compopt -o dirnames ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _hob hob\n";

static const char zsh_script[] =
    "#compdef hob\n"
    "# zsh completion for hob; eval \"$(hob completion zsh)\", or as a file _hob in $fpath\n"
    "_hob() {\n"
    "    local -a lines values shown\n"
    "    local line\n"
    "    lines=(\"${(@f)$(${(Q)words[1]} complete-words -- \"${(@Q)words[2,CURRENT]}\" "
    "2>/dev/null)}\")\n"
    "    case $lines[1] in\n"
    "        files) compset -P '--*='; _files; return ;;\n"
    "        directories) compset -P '--*='; _files -/; return ;;\n"
    "    esac\n"
    "    for line in \"${(@)lines[2,-1]}\"; do\n"
    "        [[ -n $line ]] || continue\n"
    "        values+=(\"${line%%$'\\t'*}\")\n"
    "        shown+=(\"${line%%$'\\t'*}  ${line#*$'\\t'}\")\n"
    "    done\n"
    "    (( $#values )) && compadd -l -d shown -a values\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _hob ]; then\n"
    "    _hob \"$@\"\n"
    "else\n"
    "    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n"
    "    compdef _hob hob\n"
    "fi\n";

static const char fish_script[] =
    "# fish completion for hob; hob completion fish > ~/.config/fish/completions/hob.fish\n"
    "function __hob_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l current (commandline -ct)\n"
    "    set -l lines ($words[1] complete-words -- $words[2..-1] \"$current\" 2>/dev/null)\n"
    "    switch \"$lines[1]\"\n"
    "        case files directories\n"
    "            set -l front (string match -r -- '^--[^=]*=' $current)\n"
    "            set -l path (string replace -r -- '^--[^=]*=' '' $current)\n"
    "            set -l found (__fish_complete_path \"$path\")\n"
    "            test \"$lines[1]\" = directories; and set found (string match -r -- "
    "'.*/(?:\\t.*)?$' $found)\n"
    "            for line in $found\n"
    "                echo -- \"$front$line\"\n"
    "            end\n"
    "        case words\n"
    "            printf '%s\\n' $lines[2..-1]\n"
    "    end\n"
    "end\n"
    "complete -c hob -f -a '(__hob_complete)'\n";

int cmd_completion(struct cli *cli) {
    static const struct {
        const char *shell;
        const char *script;
    } scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
    for (size_t i = 0; i < hob_countof(scripts); i++) {
        if (strcmp(cli->args[0], scripts[i].shell) != 0) continue;
        (void)fputs(scripts[i].script, stdout);
        return 0;
    }
    return cli_usage(cli, "`%s` is none of: " CLI_SHELLS, cli->args[0]);
}
