(()=>{
const form=document.querySelector('form[data-save]');
if(!form)return;
const state=form.querySelector('.state');
let timer=0,sending=false,dirty=false,left=false;
const say=key=>{state.textContent=form.dataset[key];};
const save=async()=>{
 clearTimeout(timer);
 if(!dirty||sending||left)return;
 sending=true;dirty=false;
 const body=new URLSearchParams();
 for(const [k,v] of new FormData(form))if(typeof v==='string')body.append(k,v);
 body.append('go','autosave');
 try{
  const r=await fetch(form.action,{method:'POST',body,keepalive:body.toString().length<6e4,redirect:'error'});
  if(r.status===204){form.elements.v.value=r.headers.get('X-Version');say('save');}
  else if(r.status!==409){dirty=true;say('unsaved');}
 }catch(e){dirty=true;say('unsaved');timer=setTimeout(save,4000);}
 sending=false;
 if(dirty&&!timer)timer=setTimeout(save,800);
};
form.addEventListener('input',()=>{dirty=true;clearTimeout(timer);timer=setTimeout(save,700);});
form.addEventListener('change',e=>{
 const t=e.target;
 if(t.type==='checkbox'&&t.checked&&t.dataset.o){
  for(const o of form.querySelectorAll(`input[name="${CSS.escape(t.name)}"]`))
   if(o!==t&&o.checked&&('x' in t.dataset||'x' in o.dataset))o.checked=false;
 }
});
document.addEventListener('visibilitychange',()=>{if(document.hidden)save();});
form.addEventListener('submit',e=>{
 if(left){e.preventDefault();return;}
 left=true;clearTimeout(timer);
});
addEventListener('pageshow',e=>{if(e.persisted)location.reload();});
})();
