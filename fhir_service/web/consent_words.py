"""The words of the consent page, by language. A test holds the languages to each other."""

from __future__ import annotations

from typing import Final

EN: Final = {
    "title": "Allow an app to see your data?",
    "title-staff": "Allow an app to see patient data?",
    "asks": "The app {app} asks to:",
    "goes-to": "When you allow it, you are sent on to {host}.",
    "trust": "Allow it only if you started this yourself and know the app.",
    "allow": "Allow",
    "deny": "Do not allow",
    "who": "Who is it about?",
    "who-hint": "Name, or number, of the patient",
    "find": "Find",
    "found-none": "Nobody was found with that name or number.",
    "found-many": "Only the first are shown; write more of the name.",
    "choose": "Choose the patient first.",
    "born": "born",
    "see": "see {what}",
    "change": "add or change {what}",
    "delete": "delete {what}",
    "some": "see some of {what}",
    "of-patient": "of this patient",
    "of-anybody": "of any patient whom you may see",
    "mine": "of yours",
    "everything": "all that is stored here",
    "openid": "know who you are",
    "fhirUser": "see your entry in the clinic's records",
    "offline_access": "go on doing so for up to {days} days, also while you are not there",
    "online_access": "go on doing so until you log out here",
    "cannot": "This app can not be used here",
    "cannot-why": (
        "It asks for things that you can not allow, or was set up wrongly. "
        "Close this window, and tell the people who gave you the app."
    ),
    "log-in-first": "Please log in first",
    "log-in-first-why": "Log in, then start the app once more.",
}

ES: Final = {
    "title": "¿Permitir que una aplicación vea sus datos?",
    "title-staff": "¿Permitir que una aplicación vea datos de pacientes?",
    "asks": "La aplicación {app} pide:",
    "goes-to": "Si lo permite, pasará a {host}.",
    "trust": "Permítalo solo si lo ha iniciado usted y conoce la aplicación.",
    "allow": "Permitir",
    "deny": "No permitir",
    "who": "¿De quién se trata?",
    "who-hint": "Nombre o número de la paciente o del paciente",
    "find": "Buscar",
    "found-none": "No se encontró a nadie con ese nombre o número.",
    "found-many": "Solo se muestran los primeros; escriba más del nombre.",
    "choose": "Elija primero a la paciente o al paciente.",
    "born": "nacimiento",
    "see": "ver {what}",
    "change": "añadir o cambiar {what}",
    "delete": "borrar {what}",
    "some": "ver una parte de {what}",
    "of-patient": "de esta persona",
    "of-anybody": "de cualquier paciente que usted pueda ver",
    "mine": "de usted",
    "everything": "todo lo que está guardado aquí",
    "openid": "saber quién es usted",
    "fhirUser": "ver su ficha en los registros de la clínica",
    "offline_access": "seguir haciéndolo hasta {days} días, también cuando usted no esté",
    "online_access": "seguir haciéndolo hasta que usted cierre la sesión aquí",
    "cannot": "Esta aplicación no se puede usar aquí",
    "cannot-why": (
        "Pide cosas que usted no puede permitir, o está mal configurada. "
        "Cierre esta ventana y avise a quien le dio la aplicación."
    ),
    "log-in-first": "Inicie sesión primero",
    "log-in-first-why": "Inicie sesión y abra la aplicación otra vez.",
}

WORDS: Final[dict[str, dict[str, str]]] = {"en": EN, "es": ES}

TYPES: Final[dict[str, dict[str, str]]] = {
    "en": {
        "QuestionnaireResponse": "answers to questionnaires",
        "Questionnaire": "questionnaires",
        "Patient": "name, date of birth and language",
        "DocumentReference": "summaries for the doctor",
        "Bundle": "summaries as documents",
        "Observation": "single measured or reported values",
        "Task": "questionnaires that were asked for",
        "Provenance": "who wrote what, and when",
        "AuditEvent": "who looked at what, and when",
    },
    "es": {
        "QuestionnaireResponse": "respuestas a cuestionarios",
        "Questionnaire": "cuestionarios",
        "Patient": "nombre, fecha de nacimiento e idioma",
        "DocumentReference": "resúmenes para la doctora o el doctor",
        "Bundle": "resúmenes como documentos",
        "Observation": "valores medidos o contados",
        "Task": "cuestionarios que se pidieron",
        "Provenance": "quién escribió qué y cuándo",
        "AuditEvent": "quién miró qué y cuándo",
    },
}
"""What people call the types that hold something of a patient; of others FHIR's name is shown."""
