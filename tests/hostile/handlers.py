"""The names of event handlers: every one that a browser knows, with some that only others know or knew."""

MOUSE = (
    "onauxclick onbeforeinput onclick oncontextmenu ondblclick ondrag ondragend ondragenter ondragleave ondragover "
    "ondragstart ondrop onmousedown onmouseenter onmouseleave onmousemove onmouseout onmouseover onmouseup "
    "onmousewheel onwheel onpointercancel onpointerdown onpointerenter onpointerleave onpointermove onpointerout "
    "onpointerover onpointerrawupdate onpointerup ongotpointercapture onlostpointercapture onselect onselectionchange "
    "onselectstart oncopy oncut onpaste onbeforecopy onbeforecut onbeforepaste"
).split()
TOUCH = "ontouchcancel ontouchend ontouchmove ontouchstart ongesturestart ongesturechange ongestureend".split()
KEYS = "onkeydown onkeypress onkeyup onfocus onblur onfocusin onfocusout oncommand oncommandfor".split()
FORMS = (
    "onchange onformdata oninput oninvalid onreset onsearch onsubmit oncancel onclose onbeforetoggle ontoggle "
    "onbeforematch onvalidationstatuschange onpromptaction onpromptdismiss"
).split()
MEDIA = (
    "onabort oncanplay oncanplaythrough oncuechange ondurationchange onemptied onencrypted onended onloadeddata "
    "onloadedmetadata onloadstart onpause onplay onplaying onprogress onratechange onseeked onseeking onstalled "
    "onsuspend ontimeupdate onvolumechange onwaiting onwaitingforkey onenterpictureinpicture onleavepictureinpicture"
).split()
MOTION = (
    "onanimationcancel onanimationend onanimationiteration onanimationstart onwebkitanimationend "
    "onwebkitanimationiteration onwebkitanimationstart ontransitioncancel ontransitionend ontransitionrun "
    "ontransitionstart onwebkittransitionend onscroll onscrollend onscrollsnapchange onscrollsnapchanging onresize "
    "onfullscreenchange onfullscreenerror onwebkitfullscreenchange onwebkitfullscreenerror "
    "oncontentvisibilityautostatechange onoverscroll onslotchange"
).split()
PAGE = (
    "onafterprint onbeforeprint onbeforeunload onerror onhashchange onlanguagechange onload onmessage onmessageerror "
    "onoffline ononline onpagehide onpagereveal onpageshow onpageswap onpopstate onrejectionhandled onstorage "
    "onunhandledrejection onunload onreadystatechange onvisibilitychange onfreeze onresume onsecuritypolicyviolation "
    "oncontextlost oncontextrestored oncontextmenu onappinstalled onbeforeinstallprompt onbeforexrselect "
    "ondevicemotion ondeviceorientation ondeviceorientationabsolute onprerenderingchange onpointerlockchange "
    "onpointerlockerror ongamepadconnected ongamepaddisconnected onvrdisplayconnect onwebkitmouseforcechanged"
).split()
DRAWING = "onbegin onend onrepeat onactivate onzoom onfinish onbounce onstart".split()
FORMER = (
    "onafterupdate onbeforeupdate oncellchange ondataavailable ondatasetchanged ondatasetcomplete onerrorupdate "
    "onfilterchange onhelp onlayoutcomplete onlosecapture onpropertychange onrowenter onrowexit onrowsdelete "
    "onrowsinserted onmove onmovestart onmoveend oncontrolselect ondeactivate onbeforeactivate onbeforedeactivate "
    "ontrackchange onmediacomplete onmediaerror onoutofsync onpopuphiding onpopupshowing ondragdrop onseeksegmenttime "
    "ontimeerror onurlflip onreverse onresizestart onresizeend onsyncrestored onshow onshadow"
).split()

HANDLERS = tuple(dict.fromkeys((*MOUSE, *TOUCH, *KEYS, *FORMS, *MEDIA, *MOTION, *PAGE, *DRAWING, *FORMER)))
