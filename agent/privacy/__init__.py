"""Personal data in a text: where it is, and how it is kept from those who must not read it.

```
text ─► folded ─┬─► numbers   phones, cards, passports, СНИЛС, ИНН, accounts; in digits and in words
                ├─► reaches   e-mails, nicknames, links
                ├─► places    addresses, dates of birth
                └─► names     Russian ones in every case, Latin ones
                       └─► spans ─┬─► Masked: placeholders, and a vault that knows what they stand for
                                  └─► •••    where nobody needs to know
```
"""
