// The catalogue in German.
import type { Texts } from './texts.ts';

export const GERMAN: Texts = {
  'request-id': 'Kennung der Anfrage:',
  'for-operator': 'Für den Betreiber dieser Seite: {advice}',
  'try-again': 'Noch einmal versuchen',
  'sign-out': 'Abmelden',

  'chooser.title': 'Wie möchten Sie sich anmelden?',
  'chooser.text':
    'Wählen Sie, wer Sie kennt. Danach kommen Sie auf die Seite zurück, die Sie wollten.',
  'chooser.action': 'Weiter mit {label}',

  'signed-in.title': 'Sie sind angemeldet',
  'signed-in.text': 'Sie können dieses Fenster schließen und dort weitermachen, wo Sie waren.',

  'signed-out.title': 'Sie sind abgemeldet',
  'signed-out.here':
    'Ihre Sitzung auf dieser Seite ist beendet. Bei Ihrem Anmeldedienst sind Sie vielleicht noch angemeldet.',
  'signed-out.both': 'Ihre Sitzung ist beendet, auf dieser Seite und bei Ihrem Anmeldedienst.',
  'signed-out.provider': 'Auch beim Anmeldedienst abmelden',
  'signed-out.again': 'Wieder anmelden',
  'signed-out-here.title': 'Sie sind in diesem Browser abgemeldet',
  'signed-out-here.text':
    'Dieser Browser hat Ihre Sitzung nicht mehr. Die Seite konnte nicht überall vermerken, dass sie beendet ist.',

  'confirm-sign-out.title': 'Möchten Sie sich abmelden?',
  'confirm-sign-out.text': 'Ein Link auf einer anderen Seite hat Sie hierhergeführt.',
  'confirm-sign-out.stay': 'Angemeldet bleiben',
  'foreign-sign-out.title': 'Sie sind noch angemeldet',
  'foreign-sign-out.text':
    'Diese Anfrage kam von einer anderen Seite und wurde nicht befolgt. Nutzen Sie zum Abmelden den Link dieser Seite.',
  'leaving.title': 'Auf dieser Seite sind Sie abgemeldet',
  'leaving.text': 'Als Nächstes beendet Ihr Anmeldedienst die Sitzung dort.',
  'leaving.action': 'Weiter zum Anmeldedienst',

  'forbidden.title': 'Sie haben keinen Zugriff auf diese Seite',
  'forbidden.who': 'Sie sind angemeldet als {user}.',
  'forbidden.requirement': 'Für diese Seite müssen Sie {requirement}.',
  'forbidden.ask':
    'Wenn Sie meinen, dass Sie Zugriff haben sollten, wenden Sie sich an den Betreiber dieser Seite und nennen Sie die Kennung unten.',
  'forbidden.other': 'Als jemand anderes anmelden',
  'forbidden.overage':
    'Ihr Anmeldedienst hat Ihre Gruppen nicht genannt, weil es zu viele sind. Deshalb ist nicht erkennbar, ob Sie in der richtigen sind; erneutes Anmelden ändert daran nichts.',
  'forbidden.overage.operator':
    'Das ist die Gruppenüberschreitung von Entra ID. Lassen Sie nur die Gruppen senden, die der Anwendung zugewiesen sind, oder stattdessen App-Rollen.',

  'requirement.user': '{values} sein',
  'requirement.team': 'im Team {values} sein',
  'requirement.role': 'die Rolle {values} haben',
  'requirement.type': 'vom Typ {values} sein',
  'requirement.type.human': 'ein Mensch sein, kein Agent',
  'requirement.scope': 'die Berechtigung (scope) {values} haben',
  'requirement.idp': 'sich mit {values} anmelden',
  'requirement.actors.none': 'selbst kommen, ohne dass ein Agent für Sie handelt',
  'requirement.actors.some': 'höchstens {values} haben, die für Sie handeln',
  'requirement.any': 'angemeldet sein',
  'requirement.or': ' oder ',
  'requirement.and': ' und ',

  'misconfigured.title': 'Diese Seite ist geschlossen',
  'misconfigured.text':
    'Das bleibt so, bis der Betreiber berichtigt hat, was sie von ihren Lesern verlangt.',
  'misconfigured.operator':
    'Die Anforderung im Caddyfile ist nicht lesbar. Was daran falsch ist, steht in Signets Log.',
  'uncheckable.title': 'Gerade lässt sich nicht prüfen, wer Sie sind',
  'uncheckable.text':
    'An Ihrer Anfrage ist nichts falsch. Versuchen Sie es bitte gleich noch einmal.',

  'unavailable.title': 'Anmelden ist gerade nicht möglich',
  'unavailable.provider':
    'Der Anmeldedienst ist nicht erreichbar oder antwortet nicht, wie er sollte.',
  'unavailable.store': 'Sitzungen lassen sich im Augenblick nicht speichern.',
  'unavailable.text':
    'Wer schon angemeldet ist, kann weiterarbeiten. Versuchen Sie es bitte in einer Minute noch einmal.',
  'unavailable.operator':
    'Was ausgefallen ist, sagen `/readyz` und `signet status`; warum, steht in Signets Log.',

  'failed.cookies.title': 'Ihr Browser blockiert vielleicht Cookies',
  'failed.cookies.text':
    'Er zeigt das Cookie dieser Anmeldung nicht vor, oder Sie haben in einem anderen Browser begonnen. Erlauben Sie Cookies für diese Seite und beginnen Sie neu.',
  'failed.cookies.operator':
    'Wenn alle das sehen, bekommt der Browser Signets Cookies nicht. Sie brauchen https, und nichts unterwegs darf Set-Cookie verwerfen.',
  'failed.mismatch.title': 'Diese Antwort gehört zu einer anderen Anmeldung',
  'failed.mismatch.text':
    'Sie ist von einem anderen Tab, Browser oder einer anderen Seite. Beginnen Sie neu auf der Seite, die Sie wollten.',
  'failed.used.title': 'Diese Anmeldung ist schon abgeschlossen',
  'failed.used.text':
    'Vielleicht sind Sie zurückgegangen oder haben neu geladen. Beginnen Sie neu, wenn Sie nicht angemeldet sind.',
  'failed.expired.title': 'Diese Anmeldung hat zu lange gedauert',
  'failed.expired.text': 'Sie ist nach zehn Minuten abgelaufen. Beginnen Sie neu.',
  'failed.refused.title': 'Ihr Anmeldedienst hat Sie nicht angemeldet',
  'failed.refused.text':
    'Vielleicht haben Sie abgebrochen, oder Sie dürfen diese Seite nicht nutzen. Versuchen Sie es noch einmal oder fragen Sie den Betreiber dieser Seite.',
  'failed.refused.said': 'Er meldet: {detail}',
  'failed.redirect.title': 'Ihr Anmeldedienst kennt diese Adresse nicht',
  'failed.redirect.text':
    'Er schickt nur an Adressen zurück, die bei ihm eingetragen sind, und diese ist es nicht. Das kann nur der Betreiber dieser Seite ändern.',
  'failed.redirect.operator':
    'Tragen Sie die Redirect-URI dieser Seite beim Client des Anmeldedienstes ein, genau wie sie in Signets Log steht.',
  'failed.redirect.operator.uri':
    'Tragen Sie diese Redirect-URI beim Client des Anmeldedienstes ein, genau wie sie hier steht:',
  'failed.clock.title': 'Die Uhren zweier Server gehen verschieden',
  'failed.clock.text':
    'Die Antwort Ihres Anmeldedienstes galt nach der Uhr dieser Seite nicht. Mit Ihrem Konto ist alles in Ordnung; versuchen Sie es später noch einmal.',
  'failed.clock.operator':
    'Vergleichen Sie die Uhr von Signets Rechner mit der des Anmeldedienstes, und lassen Sie beide einem Zeitserver folgen (NTP).',
  'failed.audience.title': 'Die Antwort Ihres Anmeldedienstes war für eine andere Anwendung',
  'failed.audience.text':
    'Deshalb darf diese Seite sie nicht annehmen. Das kann nur der Betreiber dieser Seite ändern.',
  'failed.audience.operator':
    'Die Zielgruppe (audience) des ID-Tokens ist nicht dieser Client. Vergleichen Sie client_id mit der beim Anmeldedienst.',
  'failed.code.title': 'Ihr Anmeldedienst hat die Anmeldung nicht bestätigt',
  'failed.code.text':
    'Beginnen Sie neu. Wenn es wieder geschieht, nennen Sie dem Betreiber dieser Seite die Kennung unten.',
  'failed.code.operator':
    'Signets Log hat unter dieser Kennung die Worte des Anmeldedienstes. Meist ist das Client-Geheimnis falsch oder abgelaufen.',
  'failed.untrusted.title': 'Der Antwort Ihres Anmeldedienstes war nicht zu trauen',
  'failed.untrusted.text':
    'Beginnen Sie neu. Wenn es wieder geschieht, nennen Sie dem Betreiber dieser Seite die Kennung unten.',
  'failed.untrusted.operator':
    'In Signets Log steht unter dieser Kennung, welche Prüfung die Antwort nicht bestanden hat.',
  'failed.provider.title': 'Diese Seite nutzt diesen Anmeldedienst nicht',
  'failed.provider.text':
    'Vielleicht tat sie es bis vor Kurzem. Beginnen Sie neu auf der Seite, die Sie wollten.',
  'failed.host.title': 'Unter dieser Adresse kann sich niemand anmelden',
  'failed.host.text': 'Nutzen Sie die übliche Adresse der Seite.',
  'failed.host.operator':
    'Wo `hosts` gesetzt ist, geht das Anmelden nur unter diesen Namen. Fügen Sie diesen samt Port hinzu, wenn er Ihrer ist.',
  'failed.loop.title': 'Sie werden immer wieder zum Anmelden geschickt',
  'failed.loop.text':
    'Sie haben sich binnen Sekunden mehrmals angemeldet, und diese Seite hat Sie danach nicht erkannt. Vielleicht blockiert Ihr Browser Cookies für diese Seite: Erlauben Sie sie und versuchen Sie es noch einmal.',
  'failed.loop.operator':
    'Das Cookie der Sitzung kommt nicht zurück, oder die Uhren zweier Sidecars gehen verschieden. Sehen Sie nach, ob unterwegs etwas Cookies verwirft.',
};
