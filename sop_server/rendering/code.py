"""Code in colour, by classes alone."""

from functools import cache
from html import escape

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name

# A lexer is a heap of regular expressions; only those that operations write are let near a stranger's text.
LANGUAGES = {
    "bash": "bash",
    "sh": "bash",
    "shell": "bash",
    "console": "console",
    "json": "json",
    "yaml": "yaml",
    "yml": "yaml",
    "toml": "toml",
    "ini": "ini",
    "sql": "sql",
    "python": "python",
    "py": "python",
    "powershell": "powershell",
    "ps1": "powershell",
    "diff": "diff",
    "http": "http",
    "html": "html",
    "xml": "xml",
    "javascript": "javascript",
    "js": "javascript",
    "hcl": "hcl",
    "terraform": "terraform",
}
MAX_COLOURED = 20_000  # characters of one text


def code_html(source: str, info: str) -> str:
    """Return `source` as a `<pre>`, its tokens classed where the language `info` begins with is known."""
    language = info.split(maxsplit=1)[0].lower() if info.strip() else ""
    name = LANGUAGES.get(language)
    if name is None:
        return f'<pre class="code"><code>{escape(source)}</code></pre>\n'
    inner = highlight(source, _lexer(name), _formatter())
    return f'<pre class="code"><code class="language-{name}">{inner}</code></pre>\n'


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)


@cache
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(nowrap=True)
