"""The calls of TargetSMS: one-time codes, and the XML, JSON and GET APIs of the SMSGate platform that it runs on.

Their documentation: https://targetsms.ru/images/PHP(auth).pdf, and xmlGateDoc, jsonGateDoc and httpGateDoc of
https://github.com/smsgate. The answer is HTTP 200 whatever happens, but for who calls too often and for a portal that
cannot answer at the moment.
"""
