import React from 'react';
import { createRoot } from 'react-dom/client';
import { SmartFormsRenderer, getResponse } from '@aehrc/smart-forms-renderer';

let root;
// The form on the page, filled with a response where one is given.
window.showForm = (questionnaire, response) => {
  root?.unmount();
  root = createRoot(document.getElementById('form'));
  root.render(
    <SmartFormsRenderer
      questionnaire={questionnaire}
      questionnaireResponse={response ?? undefined}
      terminologyServerUrl="http://127.0.0.1:9/fhir"
    />,
  );
};
window.currentResponse = () => getResponse();
