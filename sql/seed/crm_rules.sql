-- HigherGear's codes. A stop is locked: no rule of an account goes above it; of the others the account chooses.
SET ROLE followup_owner;
INSERT INTO followup.crm_rule (account_id, source, field, operator, value, label, action, builtin)
SELECT NULL, 'HigherGear', 'crm_status', 'equals', v.value, v.label, v.action::followup.crm_action, true
  FROM (VALUES ('1', 'New Lead', 'none'), ('2', 'SP Assigned', 'none'), ('3', 'Letter Printed', 'none'),
               ('4', 'Email Sent', 'none'), ('5', 'Phone Call Made', 'none'), ('6', 'Test Drive', 'none'),
               ('7', 'Sold Deposit', 'stop'), ('8', 'Sold Spot', 'stop'), ('9', 'Delivery', 'stop'), ('10', 'Lost', 'stop'),
               ('11', 'Customer Deactivated', 'stop'), ('12', 'Busted Deal', 'none'), ('13', 'Appointment Scheduled', 'none'),
               ('14', 'Email Received from Customer', 'none'), ('20', 'Appointment Successfully Completed', 'none'),
               ('22', 'Appointment Confirmed', 'none'), ('23', 'Appointment Missed/Not Successfully Completed', 'none'),
               ('26', 'Customer Logged As Phone Up', 'none'), ('27', 'Customer Logged As Store Up', 'none'),
               ('30', 'SMS Message Received from Customer', 'none'), ('31', 'SMS Message Sent to Customer', 'none'))
       AS v (value, label, action)
    ON CONFLICT (coalesce(account_id, 0), source, field, operator, value)
    DO UPDATE SET label = excluded.label, action = excluded.action;
RESET ROLE;
