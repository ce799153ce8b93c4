#include <fmt/format.h>
#include <fmt/ranges.h>

#include "options/manual.h"
#include "options/parse.h"

namespace vext::client {

namespace {

/// Text of ours in roff: backslashes and hyphens are escaped, a line cannot begin with a request.
std::string
roff(const std::string& text) {
    std::string out;
    bool is_line_start = true;
    for (const char c : text) {
        if (is_line_start && (c == '.' || c == '\''))
            out += "\\&";
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
        is_line_start = c == '\n';
    }
    return out;
}

/// Blank lines part paragraphs.
std::string
paragraphs(const std::string& text) {
    std::string out = roff(text);
    for (std::size_t at = 0; (at = out.find("\n\n", at)) != std::string::npos; at += 5)
        out.replace(at, 2, "\n.PP\n");
    return out;
}

std::string
option_heading(const Option& option) {
    std::string heading;
    for (const std::string& flag : option.flags())
        heading += fmt::format("{}\\fB{}\\fR", heading.empty() ? "" : ", ", roff(flag));
    if (heading.empty())
        return fmt::format("\\fI{}\\fR", roff(option.positional()));
    if (!option.choices.empty())
        heading +=
            fmt::format(" \\fI{}\\fR", roff(fmt::format("{}", fmt::join(option.choices, "|"))));
    else if (!option.value.empty())
        heading += fmt::format(" \\fI{}\\fR", roff(option.value));
    return heading;
}

std::string
command_section(const Command& command) {
    std::string text = fmt::format(".SS {}\n{}.\n.PP\n{}\n", roff(command.name),
                                   roff(command.summary), paragraphs(command.description));
    for (const Option& option : command.options)
        text += fmt::format(".TP\n{}\n{}.{}\n", option_heading(option), roff(option.help),
                            option.is_required ? " Required." : "");
    for (const Example& example : command.examples)
        text += fmt::format(".PP\n{}:\n.PP\n.nf\n.RS\n{}\n.RE\n.fi\n", roff(example.meaning),
                            roff(example.command));
    return text;
}

constexpr const char* kExitStatus = R"(.SH EXIT STATUS
.TP
0
All is done.
.TP
1
Loaded, with rejects within the limit.
.TP
2
Stopped by errors; nothing was loaded.
.TP
3
Usage, or a file that is not what it should be; nothing was loaded.
.TP
4
No connection, or the connection was lost.
.TP
130
Cancelled by Ctrl\-C.
)";

constexpr const char* kRest = R"(.SH ENVIRONMENT
The variables of libpq, such as PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD and PGSERVICE, say
where to connect when \fB\-\-dsn\fR does not.
.SH SEE ALSO
\fBpsql\fR(1)
)";

}  // namespace

std::string
manual_page(const std::vector<Command>& commands) {
    std::string text = fmt::format(
        ".TH VECTOR\\-BULK 1 \"\" \"vector_ext {}\" \"vector_ext manual\"\n.SH NAME\n"
        "vector\\-bulk \\- loads vectors into PostgreSQL, indexes, searches and converts them\n"
        ".SH SYNOPSIS\n",
        kVersion);
    for (const Command& command : commands)
        text += fmt::format(".B vector\\-bulk {}\n[\\fIoptions\\fR]\n.br\n", roff(command.name));
    text +=
        ".SH DESCRIPTION\nResults go to standard output, everything else to standard error.\n"
        ".SH COMMANDS\n";
    for (const Command& command : commands)
        text += command_section(command);
    return text + kExitStatus + kRest;
}

}  // namespace vext::client
