"""The words of the small pages, by language. A test holds the languages to each other."""

from __future__ import annotations

from typing import Final

EN: Final = {
    "service": "Questions before your visit",
    "no-session": "Please open your link again",
    "no-session-why": (
        "For your safety this page closes after a while. What you have answered is saved. "
        "Open the link that your clinic sent you once more, or log in to your portal again."
    ),
    "no-staff-session": "Please log in again",
    "no-staff-session-why": "Your session has ended.",
    "not-from-here": "That did not work",
    "not-from-here-why": (
        "The page was open for too long, or the request did not come from our own page. "
        "Go back, load the page again, and try once more. What you have answered is saved."
    ),
    "nothing-here": "There is nothing at this address",
    "nothing-here-why": "Check that the whole address was copied.",
    "not-understood": "That did not work",
    "not-understood-why": "Go back and try once more. What you have answered is saved.",
    "changed-meanwhile": "This was changed in the meantime",
    "changed-meanwhile-why": "Load the page again to see the newest answers.",
    "too-large": "That is too large",
    "too-large-why": "Choose a smaller picture or file.",
    "too-often": "Please wait a moment",
    "too-often-why": "There were too many tries. Wait some minutes, then try once more.",
    "not-now": "Please try again in a minute",
    "not-now-why": "We can not save anything just now. What was saved before is safe.",
    "failed": "Something went wrong here",
    "failed-why": "It is not your fault. What you have answered is saved. Please try again later.",
    "ticket": "If you call us about it, tell us this number:",
    "left": "You have logged out",
    "left-why": "You can close this window now.",
    "to-login": "Log in",
    "link-title": "Is it you?",
    "link-why": "Your clinic sent you this link. Before you begin, please tell us two things.",
    "born": "The patient's date of birth",
    "born-hint": "For example 27 3 1951",
    "day": "Day",
    "month": "Month",
    "year": "Year",
    "who": "Who is answering?",
    "who-patient": "I am the patient",
    "who-helper": "I am helping the patient",
    "helper": "Only if you are helping",
    "helper-name": "Your name",
    "helper-relation": "You are the patient's",
    "partner": "partner or spouse",
    "child": "daughter or son",
    "parent": "mother or father",
    "sibling": "sister or brother",
    "family": "other family member",
    "friend": "friend",
    "neighbour": "neighbour",
    "other": "someone else, for example an interpreter",
    "go-on": "Continue",
    "there-is-a-problem": "There is a problem",
    "link-refused": (
        "The date of birth does not match, or this link can not be used any more. Check the date. "
        "If it is right, ask your clinic for a new link."
    ),
    "born-incomplete": "Enter day, month and year of birth in numbers, for example 27 3 1951.",
    "helper-incomplete": "Enter your name and what you are to the patient.",
    "error": "Error:",
    "other-language": "Leer en español",
    "launch-failed": "You could not be signed in",
    "unknown-ehr": "This portal or record system is not registered here. Tell your clinic.",
    "no-smart": "Your portal or record system can not sign you in here. Tell your clinic.",
    "not-reachable": "Your portal or record system did not answer. Try again in a few minutes.",
    "refused-there": (
        "Your portal or record system did not let you in. Open this page from there again."
    ),
    "state": (
        "This took too long, or began in another window. Open this page from your portal again."
    ),
    "token": (
        "Your portal or record system did not complete the sign-in. Open this page from "
        "there again."
    ),
    "identity": "We could not make sure who you are. Open this page from your portal again.",
    "no-patient": (
        "Your portal or record system did not say for which patient. Open a chart first."
    ),
    "no-person": "Your portal or record system did not say who you are. Tell your clinic.",
    "choose-ehr": "Where do you want to sign in?",
    "login-title": "Log in for staff",
    "code": "One-time code",
    "code-hint": "12 letters and digits, from the person who runs this service.",
    "code-refused": "This code can not be used, or can not be used any more. Ask for a new one.",
    "nowhere-to-go": (
        "No portal and no record system is registered here. Ask your clinic for a link."
    ),
}

ES: Final = {
    "service": "Preguntas antes de su visita",
    "no-session": "Abra de nuevo su enlace, por favor",
    "no-session-why": (
        "Por su seguridad, esta página se cierra al cabo de un tiempo. Sus respuestas están "
        "guardadas. Abra otra vez el enlace que le envió su clínica, o entre de nuevo en su "
        "portal."
    ),
    "no-staff-session": "Inicie sesión de nuevo, por favor",
    "no-staff-session-why": "Su sesión ha terminado.",
    "not-from-here": "No ha funcionado",
    "not-from-here-why": (
        "La página estuvo abierta demasiado tiempo, o la petición no venía de nuestra propia "
        "página. Vuelva atrás, cargue la página de nuevo e inténtelo otra vez. Sus respuestas "
        "están guardadas."
    ),
    "nothing-here": "No hay nada en esta dirección",
    "nothing-here-why": "Compruebe que ha copiado la dirección completa.",
    "not-understood": "No ha funcionado",
    "not-understood-why": ("Vuelva atrás e inténtelo otra vez. Sus respuestas están guardadas."),
    "changed-meanwhile": "Esto ha cambiado entretanto",
    "changed-meanwhile-why": "Cargue la página de nuevo para ver las respuestas más recientes.",
    "too-large": "Es demasiado grande",
    "too-large-why": "Elija una foto o un archivo más pequeño.",
    "too-often": "Espere un momento, por favor",
    "too-often-why": "Ha habido demasiados intentos. Espere unos minutos e inténtelo otra vez.",
    "not-now": "Inténtelo de nuevo dentro de un minuto, por favor",
    "not-now-why": "Ahora no podemos guardar nada. Lo que se guardó antes está seguro.",
    "failed": "Algo ha fallado aquí",
    "failed-why": (
        "No es culpa suya. Sus respuestas están guardadas. Inténtelo más tarde, por favor."
    ),
    "ticket": "Si nos llama por esto, díganos este número:",
    "left": "Ha cerrado la sesión",
    "left-why": "Ya puede cerrar esta ventana.",
    "to-login": "Iniciar sesión",
    "link-title": "¿Es usted?",
    "link-why": (
        "Su clínica le envió este enlace. Antes de empezar, díganos dos cosas, por favor."
    ),
    "born": "Fecha de nacimiento de la paciente o del paciente",
    "born-hint": "Por ejemplo 27 3 1951",
    "day": "Día",
    "month": "Mes",
    "year": "Año",
    "who": "¿Quién contesta?",
    "who-patient": "Soy la paciente o el paciente",
    "who-helper": "Estoy ayudando a la paciente o al paciente",
    "helper": "Solo si está ayudando",
    "helper-name": "Su nombre",
    "helper-relation": "Para la paciente o el paciente, usted es",
    "partner": "su pareja",
    "child": "su hija o hijo",
    "parent": "su madre o padre",
    "sibling": "su hermana o hermano",
    "family": "otro familiar",
    "friend": "una amiga o un amigo",
    "neighbour": "una vecina o un vecino",
    "other": "otra persona, por ejemplo un intérprete",
    "go-on": "Continuar",
    "there-is-a-problem": "Hay un problema",
    "link-refused": (
        "La fecha de nacimiento no coincide, o este enlace ya no se puede usar. Compruebe la "
        "fecha. Si es correcta, pida un enlace nuevo a su clínica."
    ),
    "born-incomplete": (
        "Escriba el día, el mes y el año de nacimiento con números, por ejemplo 27 3 1951."
    ),
    "helper-incomplete": "Escriba su nombre y qué relación tiene con la paciente o el paciente.",
    "error": "Error:",
    "other-language": "Read in English",
    "launch-failed": "No se ha podido iniciar la sesión",
    "unknown-ehr": "Este portal o sistema no está registrado aquí. Dígaselo a su clínica.",
    "no-smart": "Su portal o sistema no puede iniciar la sesión aquí. Dígaselo a su clínica.",
    "not-reachable": "Su portal o sistema no ha respondido. Inténtelo dentro de unos minutos.",
    "refused-there": (
        "Su portal o sistema no le ha dejado entrar. Abra de nuevo esta página desde allí."
    ),
    "state": (
        "Ha tardado demasiado o empezó en otra ventana. Abra la página de nuevo desde su portal."
    ),
    "token": (
        "Su portal o sistema no ha completado el inicio de sesión. Abra la página desde allí."
    ),
    "identity": (
        "No hemos podido comprobar quién es usted. Abra la página de nuevo desde su portal."
    ),
    "no-patient": (
        "Su portal o sistema no ha dicho de qué paciente se trata. Abra antes su historia."
    ),
    "no-person": "Su portal o sistema no ha dicho quién es usted. Dígaselo a su clínica.",
    "choose-ehr": "¿Dónde quiere iniciar la sesión?",
    "login-title": "Inicio de sesión del personal",
    "code": "Código de un solo uso",
    "code-hint": "12 letras y cifras, de la persona que administra este servicio.",
    "code-refused": "Este código no se puede usar, o ya no se puede usar. Pida uno nuevo.",
    "nowhere-to-go": (
        "Aquí no hay ningún portal ni sistema registrado. Pida un enlace a su clínica."
    ),
}

WORDS: Final[dict[str, dict[str, str]]] = {"en": EN, "es": ES}
