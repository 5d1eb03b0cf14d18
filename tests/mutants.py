"""mutants.py - the mutants of C sources: what mutate.py chooses from.

A mutant changes one place inside a function: an operator, a constant, a condition
or a statement, as the classic operators of mutation testing do.  Comments, strings,
assertions, lines of the preprocessor and what LCOV_EXCL marks are left alone; so
are orders of memory, which `make verify' is for."""

import collections
import errno
import re

Mutant = collections.namedtuple("Mutant", "file function line last start end new key")

TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|->|\+\+|--|<<=|>>=|<=|>=|==|!=|&&|\|\|"
                   r"|[-+*/%&|^]=|<<|>>|\.\.\.|[^\sA-Za-z_0-9]")
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'
                      r"'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*",
                      re.DOTALL | re.MULTILINE)
EXCLUDED = re.compile(r"LCOV_EXCL_START.*?LCOV_EXCL_STOP|"
                      r"[^\n]*LCOV_EXCL_LINE", re.DOTALL)
KEYWORDS = set("if else while for do switch case default return break continue "
               "goto sizeof".split())
TYPES = set("void char short int long unsigned signed float double bool const "
            "volatile static struct union enum extern register _Atomic "
            "_Thread_local size_t ssize_t".split())
# What each becomes; those in BINARY only between two operands.
SWAPPED = {"==": ["!="], "!=": ["=="], "<": ["<="], "<=": ["<"], ">": [">="],
           ">=": [">"], "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"],
           "&": ["|"], "|": ["&"], "<<": [">>"], ">>": ["<<"], "*": ["+"],
           "/": ["*"], "%": ["/"], "++": ["--"], "--": ["++"], "+=": ["-="],
           "-=": ["+="], "|=": ["&="], "&=": ["|="], "true": ["false"],
           "false": ["true"], "break": ["continue"], "continue": ["break"]}
BINARY = {"+", "-", "&", "|", "*", "<", ">"}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=",
               ">>=", "++", "--"}
NUMBER = re.compile(r"(0|[1-9]\d*|0[xX][0-9a-fA-F]+)([uUlL]*)$")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def masked(source):
    """The source with all that is no code blanked, at the same places."""
    excluded = [m.span() for m in EXCLUDED.finditer(source)]
    text = NOT_CODE.sub(blank, source)
    for at, end in excluded:
        text = text[:at] + re.sub(r"[^\n]", " ", text[at:end]) + text[end:]
    for m in re.finditer(r"\b(_Static_assert|assert)\s*\(", text):
        end = closing(text, m.end() - 1)
        text = text[:m.start()] + re.sub(r"[^\n]", " ",
                                         text[m.start():end]) + text[end:]
    return text


def closing(text, at):
    """Behind the parenthesis that closes the one there."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i + 1
    return len(text)


def functions(text):
    """(name, start, end) of each body, braces included."""
    depth, found, start = 0, [], None
    for i, c in enumerate(text):
        if c == "{":
            before = text[:i].rstrip()
            if depth == 0 and before.endswith(")"):
                start = i, name_before(before)
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0 and start is not None:
                found.append((start[1], start[0], i + 1))
                start = None
    return found


def name_before(text):
    """Of a function whose parameters' last parenthesis ends the text."""
    depth = 0
    for i in range(len(text) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[i], 0)
        if depth == 0:
            return re.search(r"(\w*)\s*$", text[:i]).group(1)
    return ""


class Body:
    """The tokens of one function."""

    def __init__(self, text, start, end):
        self.text = text
        self.at = [(m.group(), m.start(), m.end())
                   for m in TOKEN.finditer(text, start, end)]
        self.words = [t[0] for t in self.at]
        self.pair, self.inside, stack = {}, [], []
        for i, w in enumerate(self.words):
            self.inside.append(len(stack))
            if w in "([":
                stack.append(i)
            elif w in ")]" and stack:
                j = stack.pop()
                self.pair[i], self.pair[j] = j, i

    def changes(self):
        """(start, end, new text) of each, in the order of the text."""
        for i, word in enumerate(self.words):
            yield from self.swaps(i, word)
            yield from self.conditions(i, word)
            if self.begins_statement(i):
                yield from self.deleted(i)

    def swaps(self, i, word):
        _, start, end = self.at[i]
        number = NUMBER.match(word)
        if word in SWAPPED and (word not in BINARY or self.is_binary(i)):
            for other in SWAPPED[word]:
                yield start, end, other
        elif number:
            n = int(number.group(1), 0)
            for other in {n + 1, 0 if n == 1 else n + 1}:
                yield start, end, "%d%s" % (other, number.group(2))
        elif hasattr(errno, word):
            yield start, end, "EPERM" if word != "EPERM" else "EINVAL"
            if self.words[i - 1] == "return":
                yield start, end, "0"
        elif word in "!~" and self.words[i + 1] != "(":
            yield start, end, ""

    def is_binary(self, i):
        before = self.words[i - 1]
        if before == ")":
            inside = self.words[self.pair[i - 1] + 1:i - 1]
            return not (inside and (inside[-1] == "*" or inside[0] in TYPES
                                    or inside[0].endswith("_t")))
        # A pointer's declaration has a type, a star and a name.
        if self.words[i] == "*" and (before in TYPES or self.begins_statement(
                i - 1) or self.words[i - 2] == "struct"):
            return False
        return bool(re.match(r"\w|\]", before)) and before not in KEYWORDS

    def conditions(self, i, word):
        if word not in ("if", "while") or self.words[i + 1] != "(":
            return
        start, end = self.at[i + 1][1], self.at[self.pair[i + 1]][2]
        yield start, end, "(!%s)" % self.text[start:end]
        if word == "while" and self.words[i - 1] == "}" \
                and self.words[self.pair[i + 1] + 1] == ";":
            yield start, end, "(0 && %s)" % self.text[start:end]
        elif word == "while":
            yield self.at[i][1], self.at[i][2], "if"

    def begins_statement(self, i):
        before = self.words[i - 1] if i > 0 else ";"
        if before in ("{", "}", "else", "do"):
            return True
        if before == ";":
            return self.inside[i] == 0
        if before == ")" and (i - 1) in self.pair:
            return self.words[self.pair[i - 1] - 1] in ("if", "while", "for",
                                                        "switch")
        if before == ":":
            j = i - 2
            while j > 0 and self.words[j] not in (";", "{", "}", ":", "?"):
                j -= 1
            return self.words[j + 1] in ("case", "default") or j == i - 3
        return False

    def deleted(self, i):
        end, depth = i, 0
        while self.words[end] != ";" or depth > 0:
            depth += {"(": 1, ")": -1}.get(self.words[end], 0)
            if self.words[end] in "{}" or end + 1 == len(self.words):
                return
            end += 1
        words = self.words[i:end]
        if not words or not self.may_go(words):
            return
        start, stop = self.at[i][1], self.at[end][2]
        yield start, stop, ";" + "\n" * self.text[start:stop].count("\n")

    @staticmethod
    def may_go(words):
        """Neither a declaration nor what the compiler would miss."""
        if words in (["return"], ["break"], ["continue"]):
            return True
        if words[0] in KEYWORDS or words[0] in TYPES:
            return False
        if len(words) > 1 and re.match(r"[A-Za-z_]", words[0]) and (
                re.match(r"[A-Za-z_]", words[1]) or words[1] == "*"):
            return False
        return words[-1] == ")" or any(w in ASSIGNMENTS for w in words)


def one_line(text):
    return re.sub(r"\s+", " ", text).strip()


def of_source(name, source):
    """Every mutant of one file."""
    text = masked(source)
    found, seen = [], set()
    for function, start, end in functions(text):
        for at, stop, new in Body(text, start, end).changes():
            if (at, stop, new) in seen:
                continue
            seen.add((at, stop, new))
            # Strings and comments come back.
            new = new.replace(text[at:stop], source[at:stop])
            first = source.rfind("\n", 0, at) + 1
            last = source.find("\n", stop)
            was = one_line(source[first:last])
            now = one_line(source[first:at] + new + source[stop:last])
            found.append(Mutant(
                name, function, source.count("\n", 0, at) + 1,
                source.count("\n", 0, stop) + 1, at, stop, new,
                "%s %s: %s => %s" % (name, function, was, now)))
    return found
