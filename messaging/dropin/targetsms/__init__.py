"""The calls of TargetSMS: one-time codes, and the XML API of the SMSGate platform that it runs on.

Their documentation: https://targetsms.ru/images/PHP(auth).pdf and https://github.com/smsgate/xmlGateDoc. What is asked
and what is answered is one XML document each; the answer is HTTP 200 whatever happens, but for who calls too often and
for a portal that cannot answer at the moment.
"""
