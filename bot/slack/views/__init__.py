"""Block Kit views, one noun a file. A name says what comes back.

`…_message` is a message, `…_receipt` the answer to the author of a change, `…_question` a message with buttons for each
answer, `…_form` a modal, `…_blocks`, `…_row` and `…_button` parts of them, `…_value` what a button sends back, and
`…_label`, `…_line`, `…_note` and `…_text` texts. `read_…` turns the values of a form or button into a value of ours.
"""
