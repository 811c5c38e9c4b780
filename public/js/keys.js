/* Keyboard accelerators. The console works without them: without JavaScript every list is still a form with
   checkboxes, links and buttons.

   Markup:  [data-list]            the form or region holding the rows
            .pick                  a row's checkbox; data-in="group key" when grouped
            .pick[data-group]      a group's checkbox; data-size="people in the group"
            [data-search]          the search field of the page
            [data-primary]         the main action of the form (Ctrl/Cmd+Enter)
            a[data-go="x"]         target of "g x" */
window.rollcall = {
  /** Single-key shortcuts can be turned off; arrows, Space and Ctrl combinations stay. */
  hasShortcuts: () => document.documentElement.dataset.shortcuts !== 'off',
  isText: element =>
    element.matches(
      'textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=file])'
    ),
  /** A key that was handled already, composes a character or comes with Alt is ignored. */
  isForUs: event => !event.defaultPrevented && !event.isComposing && !event.altKey && event.target instanceof Element
}
