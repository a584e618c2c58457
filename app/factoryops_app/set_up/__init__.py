"""What a factory sets up for its alarms: who is told, when people work, how alarms are classed."""
