<?xml version="1.0" encoding="UTF-8"?>
<StyledLayerDescriptor version="1.0.0" xmlns="http://www.opengis.net/sld">
  <NamedLayer>
    <Name>sea</Name>
    <UserStyle>
      <Title>Sea temperature in steps</Title>
      <FeatureTypeStyle>
        <Rule>
          <RasterSymbolizer>
            <ColorMap type="intervals">
              <ColorMapEntry color="#2c7bb6" quantity="297.15" label="below 24 °C"/>
              <ColorMapEntry color="#abd9e9" quantity="299.15" label="24 to 26 °C"/>
              <ColorMapEntry color="#ffffbf" quantity="301.15" label="26 to 28 °C"/>
              <ColorMapEntry color="#fdae61" quantity="303.15" label="28 to 30 °C"/>
              <ColorMapEntry color="#d7191c" quantity="inf" label="above 30 °C"/>
            </ColorMap>
          </RasterSymbolizer>
        </Rule>
      </FeatureTypeStyle>
    </UserStyle>
  </NamedLayer>
</StyledLayerDescriptor>
