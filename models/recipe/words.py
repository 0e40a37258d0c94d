"""The words problems are made of: places, quantities, devices, courtesies and distracting remarks."""

PLACES = """kitchen|living room|bedroom|bathroom|hall|attic|cellar|garage|office|workshop|greenhouse|barn|stable|shed
library|studio|pantry|laundry|nursery|balcony|terrace|garden|porch|stairwell|lobby|canteen|server room|meeting room
classroom|gym|sauna|pool|boiler room|cold store|freezer|fridge|loading dock|warehouse|corridor|reception|lab|clean room
machine room|pump house|silo|hen house|orchard|vineyard|field|tunnel|cabin|tank|inlet|outlet|roof|basement|guest room
dining room|dressing room|playroom|conservatory|utility room|archive|chapel|kiosk|depot|hangar|north wing|south wing
east wing|west wing|upper floor|ground floor|first floor|second floor|back yard|front door|control room|battery room
compressor|turbine|boiler|heat pump|radiator|press|oven|furnace|mill|mixer|conveyor|chiller|rack|cabinet|dryer|well""".replace(
    "\n", "|"
).split("|")

ID_STEMS = "sensor probe node device unit zone room tank line pump rack cell bay station meter channel box module gate".split()
ID_SHORT = "s t r z n p d m k q u v x".split()
SYLLABLES = "ba be bo da de do ka ke ko la le lo ma me mo na ne no ra re ro sa se so ta te to va vi vo zu zi pa pi po gu".split()

# noun, unit, lowest, highest, decimals allowed, word for the highest, word for the lowest, keys in data
QUANTITIES = [
    ("temperature", "°C", 10, 35, (1, 1, 1, 0), ("warmest", "hottest"), ("coldest", "coolest"), ("temperature", "temp", "temp_c", "t")),
    ("temperature", "°C", 12, 60, (1, 0), ("warmest", "hottest"), ("coldest", "coolest"), ("temperature", "temp", "celsius")),
    ("humidity", "%", 20, 95, (0, 0, 1), ("most humid", "dampest"), ("driest", "least humid"), ("humidity", "rh", "hum")),
    ("power", "W", 5, 2500, (0, 0, 1), ("hungriest", "most power-hungry"), ("least power-hungry",), ("power", "watts", "power_w")),
    ("light level", "lux", 5, 1200, (0,), ("brightest",), ("darkest", "dimmest"), ("lux", "light", "illuminance")),
    ("pressure", "bar", 0.5, 9.9, (1,), (), (), ("pressure", "bar", "p")),
    ("CO2 level", "ppm", 380, 2000, (0,), ("stuffiest",), ("freshest",), ("co2", "ppm", "co2_ppm")),
    ("water level", "L", 5, 900, (0, 1), ("fullest",), ("emptiest",), ("level", "litres", "volume")),
    ("voltage", "V", 3, 60, (1,), (), (), ("voltage", "volts", "v")),
    ("current", "mA", 20, 3000, (0,), (), (), ("current", "milliamps", "ma")),
    ("noise level", "dB", 25, 98, (0, 1), ("loudest", "noisiest"), ("quietest",), ("noise", "db", "sound")),
    ("flow", "L/min", 1, 80, (1, 0), (), (), ("flow", "flow_rate")),
    ("wind speed", "m/s", 0.5, 28, (1,), ("windiest",), ("calmest",), ("wind", "wind_speed")),
    ("soil moisture", "%", 8, 90, (0, 1), ("wettest",), ("driest",), ("moisture", "soil", "soil_moisture")),
    ("energy use", "kWh", 0.5, 48, (1,), ("hungriest",), (), ("energy", "kwh")),
    ("speed", "rpm", 100, 3000, (0,), ("fastest",), ("slowest",), ("rpm", "speed")),
    ("weight", "kg", 1, 400, (1, 0), ("heaviest",), ("lightest",), ("weight", "kg", "mass")),
    ("dust level", "µg/m³", 2, 180, (0, 1), ("dustiest",), ("cleanest",), ("pm25", "dust")),
    ("battery level", "%", 3, 100, (0,), (), (), ("battery", "soc")),
]

# device, what to do, what to do otherwise
ACTIONS = [
    ("fan", "turn the fan on", "turn the fan off"), ("fan", "switch on the fan", "switch off the fan"),
    ("fan", "start the fan", "stop the fan"), ("heater", "turn the heater on", "turn the heater off"),
    ("heater", "switch the heater off", "switch the heater on"), ("heating", "turn off the heating", "turn on the heating"),
    ("pump", "start the pump", "stop the pump"), ("pump", "stop the pump", "run the pump"),
    ("pump", "turn the pump on", "turn the pump off"), ("valve", "open the valve", "close the valve"),
    ("valve", "close the valve", "open the valve"), ("window", "open the window", "close the window"),
    ("window", "close the window", "open the window"), ("vent", "open the vent", "close the vent"),
    ("blinds", "lower the blinds", "raise the blinds"), ("blinds", "close the blinds", "open the blinds"),
    ("lamp", "turn the lamp on", "turn the lamp off"), ("lights", "switch the lights on", "switch the lights off"),
    ("lights", "dim the lights", "leave the lights bright"), ("alarm", "sound the alarm", "keep the alarm silent"),
    ("alarm", "raise an alarm", "stay quiet"), ("alert", "send an alert", "send nothing"),
    ("siren", "start the siren", "keep the siren off"), ("dehumidifier", "run the dehumidifier", "stop the dehumidifier"),
    ("humidifier", "turn the humidifier on", "turn the humidifier off"), ("boiler", "shut down the boiler", "keep the boiler running"),
    ("sprinkler", "start the sprinkler", "stop the sprinkler"), ("irrigation", "water the plants", "skip watering"),
    ("charger", "start charging", "stop charging"), ("compressor", "stop the compressor", "run the compressor"),
    ("cooler", "engage the cooler", "release the cooler"), ("relay", "close the relay", "open the relay"),
    ("motor", "stop the motor", "keep the motor running"), ("machine", "shut down the machine", "keep the machine running"),
    ("door", "lock the door", "unlock the door"), ("gate", "open the gate", "close the gate"),
    ("awning", "retract the awning", "extend the awning"), ("oven", "turn down the oven", "leave the oven alone"),
    ("generator", "start the generator", "stop the generator"), ("inverter", "enable the inverter", "disable the inverter"),
    ("backup", "switch to backup power", "stay on mains power"), ("operator", "call the operator", "carry on"),
    ("ventilation", "increase the ventilation", "reduce the ventilation"), ("shutter", "lower the shutter", "raise the shutter"),
]

BEFORE = ["", "", "", "", "", "Hello. ", "Hi, ", "Please help. ", "Question: ", "Quick check: ", "Good morning. ", "Task: "]
AFTER = ["", "", "", "", "", "", " Thanks.", " Please.", " Thank you!", " Answer briefly.", " Just the answer.", " Be precise."]

REMARKS = [
    "The front door is locked.", "Nobody is at home.", "It is raining outside.", "The gateway is online.",
    "All devices report normally.", "This is the evening report.", "The data is fresh.", "Firmware is up to date.",
    "The cat is asleep.", "Maintenance is planned for Monday.", "Signal quality is good.", "The lights are off.",
    "The readings were taken a minute ago.", "The building is empty.", "The network was slow today.",
    "We moved in last week.", "The sun is shining.", "My neighbour asked too.", "The values come from the gateway.",
]

SYSTEMS = [
    "", "", "", "", "You are a helpful assistant.", "You answer questions about sensor readings.",
    "Answer with one short sentence.", "You are thinkd, the assistant of a house.", "You control a small building.",
    "Be brief and exact.", "You are a careful monitoring assistant on a gateway.", "Think first, then answer.",
]
